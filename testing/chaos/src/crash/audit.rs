//! Compares the clients' record with the server: 0 orders, scans and refunds lost or doubled, 0 places stuck.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{bail, ensure};
use serde_json::Value;
use voelgoed_testkit::buyer::{TestBuyer, acknowledged_order};
use voelgoed_testkit::organizer::{PlaceCounts, TestOrganizer};
use voelgoed_testkit::report::SuiteReport;
use voelgoed_testkit::sandbox_provider::money_by_order;
use voelgoed_testkit::scanner::scan_outcome;
use voelgoed_testkit::server::TestServer;
use voelgoed_testkit::until::until;

use super::people::CrashPeople;
use super::record::CrashRecord;
use super::{GENERAL, SEATS};
use crate::clients::check_same_orders;

/// The latest orders and scans that are compared after each restart; at the end all are.
const LATEST_RECORDS: usize = 40;
/// For every hold to expire and every order to end after the last buyer.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(60);

/// The latest acknowledged orders and scans that the server lacks.
pub async fn after_restart(organizer: &TestOrganizer, record: &CrashRecord) -> anyhow::Result<Vec<String>> {
    let (orders, scans) = {
        let records = record.lock();
        let latest = |length: usize| length.saturating_sub(LATEST_RECORDS)..length;
        (records.orders[latest(records.orders.len())].to_vec(), records.scans[latest(records.scans.len())].to_vec())
    };
    let mut lost = Vec::new();
    for record in &orders {
        if organizer.order(&record.order.id).await.is_err() {
            lost.push(record.order.id.clone());
        }
    }
    let used: BTreeSet<&String> =
        scans.iter().filter(|scan| scan.outcome == "admitted").map(|scan| &scan.ticket.id).collect();
    for record in &orders {
        let shown = organizer.order(&record.order.id).await.unwrap_or_default();
        for ticket in shown["tickets"].as_array().into_iter().flatten() {
            let id = ticket["id"].as_str().unwrap_or_default().to_owned();
            if used.contains(&id) && ticket["state"] != "used" {
                lost.push(format!("{id} was admitted and is {}", ticket["state"]));
            }
        }
    }
    Ok(lost)
}

/// Compares all records once no client buys any more.
pub async fn at_the_end(
    server: &TestServer,
    organizer: &TestOrganizer,
    people: &CrashPeople,
    report: &mut SuiteReport,
) -> anyhow::Result<()> {
    let event = &people.event.id;
    let settled = until("no place is held and no order open", SETTLE_TIMEOUT, || async {
        let orders = organizer.orders(event).await?;
        let open = orders.iter().any(|order| order["state"] == "awaiting_payment");
        Ok((!open && organizer.counts(event).await?.held == 0).then_some(()))
    });
    let settled = settled.await;
    println!("{:?}", organizer.counts(event).await?);
    report.check("0 places are stuck after 60 s", settled);
    report.check("0 orders are lost or doubled", check_orders(organizer, event, people).await);
    // A pending refund would be in the ledger and not yet with the provider.
    let refunds = check_refunds_done(organizer, people).await;
    let full_orders = full_orders(organizer, event).await?;
    report.check("each place is sold once, and the map shows it", check_places(organizer, event, &full_orders).await);
    report.check(
        "each order is booked once, and the provider's charges agree with the ledger",
        check_money(server, organizer, &full_orders).await,
    );
    report.check("a repeated request gets the same order", check_repeats(people).await);
    report.check(
        "0 scans are lost or doubled, and used tickets stay used",
        check_scans(organizer, people, &full_orders).await,
    );
    report.check(
        "refunds are done, and the gate refuses their tickets",
        refunds.and(check_refunded_tickets(people).await),
    );
    Ok(())
}

async fn full_orders(organizer: &TestOrganizer, event: &str) -> anyhow::Result<Vec<Value>> {
    let mut orders = Vec::new();
    for order in organizer.orders(event).await? {
        orders.push(organizer.order(order["id"].as_str().unwrap_or_default()).await?);
    }
    Ok(orders)
}

/// Every request was repeated until it was answered, so clients and server know exactly the same orders.
async fn check_orders(organizer: &TestOrganizer, event: &str, people: &CrashPeople) -> anyhow::Result<()> {
    let listed = organizer.orders(event).await?;
    check_same_orders(&people.record.lock().orders, &listed)
}

async fn check_places(organizer: &TestOrganizer, event: &str, orders: &[Value]) -> anyhow::Result<()> {
    let mut sold = BTreeSet::new();
    for order in orders {
        for ticket in order["tickets"].as_array().into_iter().flatten() {
            let place = ticket["place"].as_u64().unwrap_or(u64::MAX);
            if ticket["state"] != "revoked" && !sold.insert(place) {
                bail!("place {place} has two tickets");
            }
        }
    }
    let all = u64::from(SEATS + GENERAL);
    let expected = PlaceCounts { sold: sold.len() as u64, free: all - sold.len() as u64, ..PlaceCounts::default() };
    until("the map agrees", SETTLE_TIMEOUT, || async {
        Ok((organizer.counts(event).await? == expected).then_some(()))
    })
    .await?;
    let shown = organizer.places(event).await?;
    for (place, state) in shown.iter().enumerate().take(all as usize) {
        ensure!((*state == 2) == sold.contains(&(place as u64)), "place {place} is {state} on the map");
    }
    Ok(())
}

async fn check_money(server: &TestServer, organizer: &TestOrganizer, orders: &[Value]) -> anyhow::Result<()> {
    let ledger = organizer.balanced_ledger().await?;
    let at_provider = money_by_order(server.data())?;
    let (mut clearing, mut sales) = (BTreeMap::<&str, i64>::new(), BTreeMap::<&str, u32>::new());
    for entry in &ledger {
        *clearing.entry(&entry.order).or_default() += entry.clearing;
        *sales.entry(&entry.order).or_default() += u32::from(entry.kind == "sale");
    }
    for order in orders {
        let (id, total) = (order["id"].as_str().unwrap_or_default(), order["total"]["amount"].as_i64().unwrap_or(-1));
        let booked = clearing.get(id).copied().unwrap_or(0);
        let expected = if order["state"] == "paid" { total } else { 0 };
        ensure!(booked == expected, "{id} is {} and booked with {booked} of {total}", order["state"]);
        ensure!(
            at_provider.get(id).copied().unwrap_or(0) == booked,
            "{id}: the provider holds {:?}, booked {booked}",
            at_provider.get(id)
        );
        ensure!(sales.get(id).copied().unwrap_or(0) <= 1, "{id} is booked twice");
    }
    Ok(())
}

async fn check_repeats(people: &CrashPeople) -> anyhow::Result<()> {
    let orders = people.record.lock().orders.clone();
    let step = (orders.len() / 100).max(1);
    let mut buyer = TestBuyer::new(people.organizer.client.clone());
    for record in orders.iter().step_by(step) {
        let again = acknowledged_order(buyer.order(&record.request).await?)?;
        ensure!(
            again.id == record.order.id && again.token == record.order.token,
            "{} became {}",
            record.order.id,
            again.id
        );
    }
    Ok(())
}

async fn check_scans(organizer: &TestOrganizer, people: &CrashPeople, orders: &[Value]) -> anyhow::Result<()> {
    let acknowledged = people.record.lock().scans.clone();
    let states: BTreeMap<String, String> = orders
        .iter()
        .flat_map(|order| order["tickets"].as_array().cloned().unwrap_or_default())
        .filter_map(|ticket| Some((ticket["id"].as_str()?.to_owned(), ticket["state"].as_str()?.to_owned())))
        .collect();
    let mut admissions = BTreeMap::<String, u32>::new();
    let listed = organizer.all(&format!("/api/v1/scans?event={}", people.event.id)).await?;
    for scan in &listed {
        if scan["result"] == "admitted" {
            *admissions.entry(scan["ticket"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
    }
    ensure!(listed.len() == acknowledged.len(), "{} scans acknowledged, {} listed", acknowledged.len(), listed.len());
    for scan in &acknowledged {
        let id = &scan.ticket.id;
        let state = states.get(id).map_or("none", String::as_str);
        ensure!(state == "used", "{id} was admitted and is {state}");
        ensure!(admissions.get(id) == Some(&1), "{id} was admitted {:?} times", admissions.get(id));
    }
    let step = (acknowledged.len() / 100).max(1);
    for scan in acknowledged.iter().step_by(step) {
        let again = scan_outcome(&people.scanner.send(&scan.request).await?.must(200)?);
        ensure!(again == scan.outcome, "the same scan of {} was {} and is {again}", scan.ticket.id, scan.outcome);
        let second = people.scanner.send(&people.scanner.scan_of(&scan.ticket.code)).await?.must(200)?;
        ensure!(second["reason"] == "already_used" && second["first"].is_object(), "a used ticket gets {second}");
    }
    Ok(())
}

async fn check_refunds_done(organizer: &TestOrganizer, people: &CrashPeople) -> anyhow::Result<()> {
    let acknowledged = people.record.lock().refunds.clone();
    for record in &acknowledged {
        let id = &record.ticket.order;
        let done = until("a refund is done", SETTLE_TIMEOUT, || async {
            let order = organizer.order(id).await?;
            let refunds = order["refunds"].as_array().cloned().unwrap_or_default();
            ensure!(refunds.len() == 1 && refunds[0]["id"] == *record.refund, "{id}: {refunds:?}");
            Ok((refunds[0]["state"] == "done" && order["state"] == "refunded").then_some(()))
        });
        done.await?;
    }
    Ok(())
}

async fn check_refunded_tickets(people: &CrashPeople) -> anyhow::Result<()> {
    let acknowledged = people.record.lock().refunds.clone();
    for record in &acknowledged {
        let scan = people.scanner.send(&people.scanner.scan_of(&record.ticket.code)).await?.must(200)?;
        ensure!(scan["reason"] == "refunded", "the gate answers {scan} for {}", record.ticket.id);
    }
    Ok(())
}
