//! Compares the buyers' record of a sale with the shop's orders, seats and ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::ensure;
use serde_json::Value;
use voelgoed_testkit::organizer::TestOrganizer;
use voelgoed_testkit::report::SuiteReport;
use voelgoed_testkit::until::until;

use super::seat_race::SeatRaceRecord;

/// For every order to end and every abandoned hold to expire.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(240);

/// Checks the whole sale of the event.
pub async fn check_sale(organizer: &TestOrganizer, record: &SeatRaceRecord, report: &mut SuiteReport) {
    let event = record.event.as_str();
    let ended = until("every order has ended", SETTLE_TIMEOUT, || async {
        let orders = organizer.orders(event).await?;
        Ok(orders.iter().all(|order| order["state"] != "awaiting_payment").then_some(orders))
    });
    match ended.await {
        Ok(orders) => {
            report.check("0 acknowledged orders are lost, and there are no others", same_orders(record, &orders));
            report.check("0 seats are oversold", sold_once(organizer, record, &orders).await);
        }
        Err(error) => report.check("every order ends", Err(error)),
    }
    report.check("the ledger balances", organizer.balanced_ledger().await.map(drop));
}

fn same_orders(record: &SeatRaceRecord, orders: &[Value]) -> anyhow::Result<()> {
    let listed: BTreeSet<&str> = orders.iter().filter_map(|order| order["id"].as_str()).collect();
    let acknowledged: BTreeSet<&str> = record.orders.keys().map(String::as_str).collect();
    let (lost, unknown) = (acknowledged.difference(&listed).count(), listed.difference(&acknowledged).count());
    ensure!(lost == 0 && unknown == 0, "{lost} are lost, {unknown} were never acknowledged, of {}", acknowledged.len());
    Ok(())
}

/// Checks that no seat is in two paid orders, and that the map shows exactly their seats as sold.
async fn sold_once(organizer: &TestOrganizer, record: &SeatRaceRecord, orders: &[Value]) -> anyhow::Result<()> {
    let paid = orders.iter().filter(|order| order["state"] == "paid").filter_map(|order| order["id"].as_str());
    let mut owners: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for order in paid {
        for seat in record.orders.get(order).into_iter().flatten() {
            owners.entry(*seat).or_default().push(order);
        }
    }
    let twice: Vec<_> = owners.iter().filter(|(_, orders)| orders.len() > 1).collect();
    ensure!(twice.is_empty(), "sold twice: {twice:?}");
    let sold = until("the map shows the sold seats", SETTLE_TIMEOUT, || async {
        let places = organizer.places(&record.event).await?;
        let sold: BTreeSet<u32> = (0..).zip(places).filter(|(_, state)| *state == 2).map(|(place, _)| place).collect();
        Ok(sold.iter().eq(owners.keys()).then_some(sold.len()))
    });
    let sold = sold.await?;
    println!("{sold} seats are sold, each to one order");
    ensure!(sold > 0, "nothing was sold");
    Ok(())
}
