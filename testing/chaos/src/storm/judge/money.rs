//! Money: what the provider's own books say, what the tickets say, what the journal says (P2, P5).

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::ensure;
use serde_json::Value;
use voelgoed_testkit::books::money_by_order;

use super::super::people::People;

/// The orders, once each is paid for exactly as far as it has tickets; none where one is not, so far.
pub fn settled(orders: Vec<Value>, books: &Path) -> anyhow::Result<Option<Vec<Value>>> {
    let is_settled =
        unsettled(&orders, books).is_ok() && orders.iter().all(|order| order["state"] != "awaiting_payment");
    Ok(is_settled.then_some(orders))
}

/// An error that names the orders where money and tickets do not fit.
pub fn unsettled(orders: &[Value], books: &Path) -> anyhow::Result<()> {
    let at_provider = money_by_order(books)?;
    let (mut without_ticket, mut without_money) = (Vec::new(), Vec::new());
    for order in orders {
        let (id, total) = (order["id"].as_str().unwrap_or_default(), order["total"]["amount"].as_i64().unwrap_or(-1));
        let tickets = order["tickets"].as_array().into_iter().flatten();
        let valid = tickets.filter(|ticket| ticket["state"] != "revoked").count();
        let money = at_provider.get(id).copied().unwrap_or(0);
        let about = || format!("{id} is {}, {valid} tickets, the provider holds {money} of {total}", order["state"]);
        // Every order is of one ticket, so that it is worth its total or nothing.
        if valid > 0 && money != total {
            without_money.push(about());
        } else if valid == 0 && money != 0 {
            without_ticket.push(about());
        }
    }
    ensure!(
        without_ticket.is_empty() && without_money.is_empty(),
        "charged without ticket or refund: {without_ticket:?}; tickets without money: {without_money:?}"
    );
    Ok(())
}

/// Every entry sums to zero, no sale is booked twice, and the clearing account has what the provider has.
pub async fn journal(people: &People, orders: &[Value], books: &Path) -> anyhow::Result<()> {
    let at_provider = money_by_order(books)?;
    let (mut clearing, mut sales) = (BTreeMap::<String, i64>::new(), BTreeMap::<String, u32>::new());
    for entry in people.organizer.balanced_journal().await? {
        *clearing.entry(entry.order.clone()).or_default() += entry.clearing;
        *sales.entry(entry.order).or_default() += u32::from(entry.kind == "sale");
    }
    for order in orders {
        let id = order["id"].as_str().unwrap_or_default();
        let of = |money: &BTreeMap<String, i64>| money.get(id).copied().unwrap_or(0);
        let (booked, there) = (of(&clearing), of(&at_provider));
        ensure!(booked == there, "{id} is {}: booked {booked}, the provider holds {there}", order["state"]);
        ensure!(sales.get(id).copied().unwrap_or(0) <= 1, "{id} is booked twice");
    }
    Ok(())
}

/// What the organizer was promised to be given back is given back.
pub async fn refunds(people: &People) -> anyhow::Result<()> {
    let given_back = people.journal.open().refunds.clone();
    for back in &given_back {
        let order = people.organizer.order(&back.order).await?;
        let refunds = order["refunds"].as_array().cloned().unwrap_or_default();
        ensure!(refunds.len() == 1 && refunds[0]["id"] == *back.refund, "{}: {refunds:?}", back.order);
        ensure!(
            refunds[0]["state"] == "done" && order["state"] == "refunded",
            "{} is {}: {refunds:?}",
            back.order,
            order["state"]
        );
    }
    Ok(())
}
