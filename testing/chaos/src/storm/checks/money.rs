//! Compares the provider's charges with tickets and ledger (P2, P5).

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::ensure;
use serde_json::Value;
use voelgoed_testkit::sandbox_provider::money_by_order;

use super::super::people::StormPeople;

/// The orders once the money of each matches its tickets; none before.
pub fn settled_orders(orders: Vec<Value>, charges: &Path) -> anyhow::Result<Option<Vec<Value>>> {
    let is_settled =
        check_settled(&orders, charges).is_ok() && orders.iter().all(|order| order["state"] != "awaiting_payment");
    Ok(is_settled.then_some(orders))
}

/// Checks that the money of each order matches its tickets.
pub fn check_settled(orders: &[Value], charges: &Path) -> anyhow::Result<()> {
    let at_provider = money_by_order(charges)?;
    let (mut without_ticket, mut without_money) = (Vec::new(), Vec::new());
    for order in orders {
        let (id, total) = (order["id"].as_str().unwrap_or_default(), order["total"]["amount"].as_i64().unwrap_or(-1));
        let tickets = order["tickets"].as_array().into_iter().flatten();
        let valid = tickets.filter(|ticket| ticket["state"] != "revoked").count();
        let money = at_provider.get(id).copied().unwrap_or(0);
        let description =
            || format!("{id} is {}, {valid} tickets, the provider holds {money} of {total}", order["state"]);
        // Every order has one ticket, so the provider holds its total or nothing.
        if valid > 0 && money != total {
            without_money.push(description());
        } else if valid == 0 && money != 0 {
            without_ticket.push(description());
        }
    }
    ensure!(
        without_ticket.is_empty() && without_money.is_empty(),
        "charged without ticket or refund: {without_ticket:?}; tickets without money: {without_money:?}"
    );
    Ok(())
}

/// Checks that every entry sums to zero, no sale is booked twice, and the clearing account agrees with the provider.
pub async fn check_ledger(people: &StormPeople, orders: &[Value], charges: &Path) -> anyhow::Result<()> {
    let at_provider = money_by_order(charges)?;
    let (mut clearing, mut sales) = (BTreeMap::<String, i64>::new(), BTreeMap::<String, u32>::new());
    for entry in people.organizer.balanced_ledger().await? {
        *clearing.entry(entry.order.clone()).or_default() += entry.clearing;
        *sales.entry(entry.order).or_default() += u32::from(entry.kind == "sale");
    }
    for order in orders {
        let id = order["id"].as_str().unwrap_or_default();
        let amount = |money: &BTreeMap<String, i64>| money.get(id).copied().unwrap_or(0);
        let (booked, held) = (amount(&clearing), amount(&at_provider));
        ensure!(booked == held, "{id} is {}: booked {booked}, the provider holds {held}", order["state"]);
        ensure!(sales.get(id).copied().unwrap_or(0) <= 1, "{id} is booked twice");
    }
    Ok(())
}

/// Checks that every acknowledged refund is done.
pub async fn check_refunds(people: &StormPeople) -> anyhow::Result<()> {
    let acknowledged = people.record.lock().refunds.clone();
    for record in &acknowledged {
        let id = &record.ticket.order;
        let order = people.organizer.order(id).await?;
        let refunds = order["refunds"].as_array().cloned().unwrap_or_default();
        ensure!(refunds.len() == 1 && refunds[0]["id"] == *record.refund, "{id}: {refunds:?}");
        let is_done = refunds[0]["state"] == "done" && order["state"] == "refunded";
        ensure!(is_done, "{id} is {}: {refunds:?}", order["state"]);
    }
    Ok(())
}
