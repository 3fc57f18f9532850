//! The clients' journal against the server: 0 lost, 0 doubled, 0 places stuck.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{bail, ensure};
use serde_json::Value;
use voelgoed_testkit::books::money_by_order;
use voelgoed_testkit::buyer::{Buyer, placed};
use voelgoed_testkit::organizer::{Counts, Organizer};
use voelgoed_testkit::server::Server;
use voelgoed_testkit::until::until;

use super::crowd::Crowd;
use super::journal::Journal;
use super::{GENERAL, SEATS};
use voelgoed_testkit::verdict::Verdicts;

/// So many of the latest orders are looked at after each restart; all of them at the end.
const LATEST: usize = 40;
/// No place is held, and no order open, this long after the last buyer went home.
const STUCK: Duration = Duration::from_secs(60);

/// What the latest acknowledged orders and scans say that the server does not.
pub async fn after_restart(organizer: &Organizer, journal: &Journal) -> anyhow::Result<Vec<String>> {
    let (orders, scans) = {
        let pages = journal.open();
        let latest = |length: usize| length.saturating_sub(LATEST)..length;
        (pages.orders[latest(pages.orders.len())].to_vec(), pages.scans[latest(pages.scans.len())].to_vec())
    };
    let mut lost = Vec::new();
    for bought in &orders {
        if organizer.order(&bought.order.id).await.is_err() {
            lost.push(bought.order.id.clone());
        }
    }
    let used: BTreeSet<&String> =
        scans.iter().filter(|scan| scan.word == "admitted").map(|scan| &scan.ticket).collect();
    for bought in &orders {
        let shown = organizer.order(&bought.order.id).await.unwrap_or_default();
        for ticket in shown["tickets"].as_array().into_iter().flatten() {
            let id = ticket["id"].as_str().unwrap_or_default().to_owned();
            if used.contains(&id) && ticket["state"] != "used" {
                lost.push(format!("{id} was admitted and is {}", ticket["state"]));
            }
        }
    }
    Ok(lost)
}

/// Everything, once nobody buys any more.
pub async fn at_the_end(
    server: &Server,
    organizer: &Organizer,
    crowd: &Crowd,
    journal: &Journal,
    verdicts: &mut Verdicts,
) -> anyhow::Result<()> {
    let event = &crowd.event.id;
    let quiet = until("quiet", STUCK, || async {
        let orders = organizer.orders(event).await?;
        let open = orders.iter().any(|order| order["state"] == "awaiting_payment");
        Ok((!open && organizer.counts(event).await?.held == 0).then_some(()))
    });
    let quiet = quiet.await;
    println!("{:?}", organizer.counts(event).await?);
    verdicts.judge("0 places are stuck after 60 s", quiet);
    verdicts.judge("0 orders are lost or doubled", orders(organizer, event, journal).await);
    // Money that is still on its way back is in one book and not in the other.
    let given_back = refunds_done(organizer, crowd).await;
    let whole = whole_orders(organizer, event).await?;
    verdicts.judge("each place is sold once, and the map says so", places(organizer, event, &whole).await);
    verdicts.judge(
        "each order is booked once, and the provider holds what the ledger says",
        money(server, organizer, &whole).await,
    );
    verdicts.judge("a repeated request gets the same order", repeats(crowd, journal).await);
    verdicts.judge("0 scans are lost or doubled, and what was used stays used", scans(organizer, crowd, &whole).await);
    verdicts
        .judge("refunds are done, and the gate refuses their tickets", given_back.and(refunded_stay_out(crowd).await));
    Ok(())
}

async fn whole_orders(organizer: &Organizer, event: &str) -> anyhow::Result<Vec<Value>> {
    let mut whole = Vec::new();
    for order in organizer.orders(event).await? {
        whole.push(organizer.order(order["id"].as_str().unwrap_or_default()).await?);
    }
    Ok(whole)
}

/// Every request was repeated until it was answered, so both sides know of exactly the same orders.
async fn orders(organizer: &Organizer, event: &str, journal: &Journal) -> anyhow::Result<()> {
    let there: BTreeSet<String> =
        organizer.orders(event).await?.iter().filter_map(|order| order["id"].as_str().map(str::to_owned)).collect();
    let acknowledged: Vec<String> = journal.open().orders.iter().map(|bought| bought.order.id.clone()).collect();
    let here: BTreeSet<String> = acknowledged.iter().cloned().collect();
    ensure!(here.len() == acknowledged.len(), "two requests got the same order");
    let lost: Vec<_> = here.difference(&there).collect();
    let doubled: Vec<_> = there.difference(&here).collect();
    ensure!(lost.is_empty() && doubled.is_empty(), "lost {lost:?}, nobody's {doubled:?}");
    Ok(())
}

async fn places(organizer: &Organizer, event: &str, orders: &[Value]) -> anyhow::Result<()> {
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
    let expected = Counts { sold: sold.len() as u64, free: all - sold.len() as u64, ..Counts::default() };
    until("the map agrees", STUCK, || async { Ok((organizer.counts(event).await? == expected).then_some(())) }).await?;
    let shown = organizer.places(event).await?;
    for (place, state) in shown.iter().enumerate().take(all as usize) {
        ensure!((*state == 2) == sold.contains(&(place as u64)), "place {place} is {state} on the map");
    }
    Ok(())
}

async fn money(server: &Server, organizer: &Organizer, orders: &[Value]) -> anyhow::Result<()> {
    let journal = organizer.balanced_journal().await?;
    let at_provider = money_by_order(server.data())?;
    let (mut clearing, mut sales) = (BTreeMap::<&str, i64>::new(), BTreeMap::<&str, u32>::new());
    for entry in &journal {
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

async fn repeats(crowd: &Crowd, journal: &Journal) -> anyhow::Result<()> {
    let orders = journal.open().orders.clone();
    let step = (orders.len() / 100).max(1);
    let mut buyer = Buyer::new(crowd.organizer.client.clone());
    for bought in orders.iter().step_by(step) {
        let again = placed(buyer.order(&bought.request).await?)?;
        ensure!(
            again.id == bought.order.id && again.token == bought.order.token,
            "{} became {}",
            bought.order.id,
            again.id
        );
    }
    Ok(())
}

async fn scans(organizer: &Organizer, crowd: &Crowd, orders: &[Value]) -> anyhow::Result<()> {
    let acknowledged = crowd.journal.open().scans.clone();
    let states: BTreeMap<String, String> = orders
        .iter()
        .flat_map(|order| order["tickets"].as_array().cloned().unwrap_or_default())
        .filter_map(|ticket| Some((ticket["id"].as_str()?.to_owned(), ticket["state"].as_str()?.to_owned())))
        .collect();
    let mut admissions = BTreeMap::<String, u32>::new();
    let listed = organizer.all(&format!("/api/v1/scans?event={}", crowd.event.id)).await?;
    for scan in &listed {
        if scan["result"] == "admitted" {
            *admissions.entry(scan["ticket"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
    }
    ensure!(listed.len() == acknowledged.len(), "{} scans acknowledged, {} there", acknowledged.len(), listed.len());
    for scan in &acknowledged {
        let state = states.get(&scan.ticket).map_or("none", String::as_str);
        ensure!(state == "used", "{} was admitted and is {state}", scan.ticket);
        ensure!(
            admissions.get(&scan.ticket) == Some(&1),
            "{} was admitted {:?} times",
            scan.ticket,
            admissions.get(&scan.ticket)
        );
    }
    let step = (acknowledged.len() / 100).max(1);
    for scan in acknowledged.iter().step_by(step) {
        let again = crowd.scanner.send(&scan.request).await?.must(200)?;
        let word = if again["result"] == "admitted" { "admitted" } else { again["reason"].as_str().unwrap_or("?") };
        ensure!(word == scan.word, "the same scan of {} was {} and is {word}", scan.ticket, scan.word);
        let anew = crowd.scanner.send(&crowd.scanner.read(&scan.code)).await?.must(200)?;
        ensure!(anew["reason"] == "already_used" && anew["first"].is_object(), "a used ticket gets {anew}");
    }
    Ok(())
}

async fn refunds_done(organizer: &Organizer, crowd: &Crowd) -> anyhow::Result<()> {
    let given_back = crowd.journal.open().refunds.clone();
    for back in &given_back {
        let done = until("a refund is done", STUCK, || async {
            let order = organizer.order(&back.order).await?;
            let refunds = order["refunds"].as_array().cloned().unwrap_or_default();
            ensure!(refunds.len() == 1 && refunds[0]["id"] == *back.refund, "{}: {refunds:?}", back.order);
            Ok((refunds[0]["state"] == "done" && order["state"] == "refunded").then_some(()))
        });
        done.await?;
    }
    Ok(())
}

async fn refunded_stay_out(crowd: &Crowd) -> anyhow::Result<()> {
    let given_back = crowd.journal.open().refunds.clone();
    for back in &given_back {
        let scan = crowd.scanner.send(&crowd.scanner.read(&back.code)).await?.must(200)?;
        ensure!(scan["reason"] == "refunded", "the gate says {scan} of {}", back.ticket);
    }
    Ok(())
}
