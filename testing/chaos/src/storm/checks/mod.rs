//! Compares the clients' records and the provider's charges with the server after the storm, one check per promise.
//!
//! Never: a tolerance without the promise that allows it. To add a promise: a function in the file of its subject, a line in [`check_organization`].

mod money;
mod places;
mod scans;

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use futures::{StreamExt, TryStreamExt};
use serde_json::Value;
use voelgoed_testkit::buyer::{TestBuyer, acknowledged_order};
use voelgoed_testkit::report::SuiteReport;
use voelgoed_testkit::until::until;

use super::people::StormPeople;
use crate::clients::check_same_orders;

/// For every hold to expire and every order to end after the last buyer.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(60);
/// For refunds and late money, which jobs execute with backoff.
const MONEY_TIMEOUT: Duration = Duration::from_secs(240);
const REPEATED_REQUESTS: usize = 50;
const CONCURRENT_READS: usize = 8;

/// Waits until no place is held and no order open; started for all organizations at once, after the last buyer.
pub async fn wait_until_settled(people: &StormPeople) -> anyhow::Result<()> {
    let (organizer, event) = (&people.organizer, &people.event.id);
    until("no place is held and no order open", SETTLE_TIMEOUT, || async {
        let orders = organizer.orders(event).await?;
        let open = orders.iter().any(|order| order["state"] == "awaiting_payment");
        Ok((!open && organizer.counts(event).await?.held == 0).then_some(()))
    })
    .await
}

/// Checks one organization's sale; `name` starts each claim, `settled` is the result of [`wait_until_settled`].
pub async fn check_organization(
    name: &str,
    people: &StormPeople,
    settled: anyhow::Result<()>,
    charges: &Path,
    report: &mut SuiteReport,
) -> anyhow::Result<()> {
    let (organizer, event) = (&people.organizer, &people.event.id);
    let mut check = |claim: &str, outcome| report.check(&format!("{name}: {claim}"), outcome);
    println!("{name}: {}; {:?}", people.record, organizer.counts(event).await?);
    check("0 holds are stuck after 60 s", settled);
    check("0 acknowledged orders are lost, none is doubled", check_orders(people).await);
    check("a repeated request gets the same order", check_repeats(people).await);
    let mut orders = full_orders(people).await?;
    let money_settled = until("money and tickets agree", MONEY_TIMEOUT, || {
        let read = full_orders(people);
        async move { money::settled_orders(read.await?, charges) }
    });
    match money_settled.await {
        Ok(settled) => {
            orders = settled;
            check("0 are charged without a ticket or a refund, 0 tickets are without money", Ok(()));
        }
        Err(_late) => check(
            "0 are charged without a ticket or a refund, 0 tickets are without money",
            money::check_settled(&orders, charges),
        ),
    }
    check(
        "the ledger balances, and agrees with the provider's charges",
        money::check_ledger(people, &orders, charges).await,
    );
    check("every acknowledged refund is done", money::check_refunds(people).await);
    check(
        "0 places are oversold, and every node's map shows the sold places",
        places::check_sold_once(people, &orders).await,
    );
    check("every unsold place can be held again", places::check_held_again(people, &orders).await);
    check("0 acknowledged scans are lost, and used tickets stay used", scans::check_scans(people, &orders).await);
    check(
        "0 tickets are admitted twice while a store that knows the first admission is available",
        scans::check_double_admissions(people).await,
    );
    check("0 refunded tickets are admitted", scans::check_refunded(people));
    check("0 orders are readable for another organization", check_foreign_reads(people));
    Ok(())
}

/// Checks that organizations stayed isolated. Last, since scans at a foreign gate are recorded there.
pub async fn check_isolation(name: &str, people: &StormPeople, others: &StormPeople, report: &mut SuiteReport) {
    report.check(
        &format!("{name}: 0 is answered to another organization's key or gate"),
        scans::check_isolation(people, others).await,
    );
}

async fn full_orders(people: &StormPeople) -> anyhow::Result<Vec<Value>> {
    let listed = people.organizer.orders(&people.event.id).await?;
    let ids = listed.into_iter().map(|order| order["id"].as_str().unwrap_or_default().to_owned());
    let reads = ids.map(|id| async move { people.organizer.order(&id).await });
    futures::stream::iter(reads).buffer_unordered(CONCURRENT_READS).try_collect().await
}

/// Every request was repeated until it was answered, so clients and server know exactly the same orders.
async fn check_orders(people: &StormPeople) -> anyhow::Result<()> {
    let listed = people.organizer.orders(&people.event.id).await?;
    let acknowledged = people.record.lock().orders.clone();
    ensure!(!acknowledged.is_empty(), "no order was placed");
    check_same_orders(&acknowledged, &listed)
}

/// A buyer who lost the response and repeats the request under the same key gets the same order.
async fn check_repeats(people: &StormPeople) -> anyhow::Result<()> {
    let records = people.record.lock().orders.clone();
    for (at, record) in records.iter().step_by((records.len() / REPEATED_REQUESTS).max(1)).enumerate() {
        let mut buyer = TestBuyer::new(people.nodes[at % people.nodes.len()].clone());
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

fn check_foreign_reads(people: &StormPeople) -> anyhow::Result<()> {
    let records = people.record.lock();
    ensure!(records.foreign_attempts > 0, "no foreign read was tried");
    ensure!(records.foreign_reads.is_empty(), "{:?}", records.foreign_reads);
    Ok(())
}
