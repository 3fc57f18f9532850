//! Checks that acknowledged scans are listed, and that no ticket is admitted twice unallowedly (P3, P6).

use std::collections::BTreeMap;

use anyhow::ensure;
use reqwest::Method;
use serde_json::Value;
use voelgoed_testkit::http_client::ApiCall;
use voelgoed_testkit::scanner::scan_outcome;

use super::super::people::StormPeople;
use super::super::record::{ScanKnowledge, StormScan};

/// Tickets that are scanned once more.
const RESCANNED_TICKETS: usize = 50;

/// Checks that clients and server know the same scans, that each admission is listed once, and that a used ticket is refused.
pub async fn check_scans(people: &StormPeople, orders: &[Value]) -> anyhow::Result<()> {
    let (scans, acknowledged) = {
        let records = people.record.lock();
        (records.scans.clone(), records.scans.len() + records.scans_after_refund.len())
    };
    ensure!(!scans.is_empty(), "no ticket was scanned");
    let listed = people.organizer.all(&format!("/api/v1/scans?event={}", people.event.id)).await?;
    ensure!(listed.len() == acknowledged, "{acknowledged} scans acknowledged, {} listed", listed.len());
    let states: BTreeMap<&str, &str> = orders
        .iter()
        .flat_map(|order| order["tickets"].as_array().into_iter().flatten())
        .filter_map(|ticket| Some((ticket["id"].as_str()?, ticket["state"].as_str()?)))
        .collect();
    let mut admissions = BTreeMap::<&str, u32>::new();
    // An admission by warm stands; a contradiction is a conflict, which `check_double_admissions` covers.
    for scan in listed.iter().filter(|scan| scan["result"] == "admitted" && scan["conflict"] != true) {
        *admissions.entry(scan["ticket"].as_str().unwrap_or_default()).or_default() += 1;
    }
    for scan in &scans {
        let (id, outcome) = (scan.ticket.id.as_str(), &scan.outcome);
        let (state, times) = (states.get(id), admissions.get(id));
        ensure!(state == Some(&"used"), "{id} was scanned ({outcome}) and is {state:?}");
        ensure!(times == Some(&1), "{id} was scanned ({outcome}) and is admitted {times:?} times");
    }
    let step = (scans.len() / RESCANNED_TICKETS).max(1);
    for (at, scan) in scans.iter().step_by(step).enumerate() {
        let scanner = people.scanner.at(&people.nodes[at % people.nodes.len()]);
        let second = scanner.send(&scanner.scan_of(&scan.ticket.code)).await?.must(200)?;
        ensure!(scan_outcome(&second) == "already_used", "a used ticket gets {second}");
    }
    Ok(())
}

/// Checks that at most one scan of a ticket admits while a store that knows the first one is available (P6).
///
/// A response says which stores know a scan (docs/adr/0010): both, where it is `durable` and not `degraded`. Two admissions are allowed only where one
/// store alone knew the first, and was unavailable or had lost it when the other decided; then a conflict is reported.
pub async fn check_double_admissions(people: &StormPeople) -> anyhow::Result<()> {
    let scans = people.record.lock().scans.clone();
    let mut admitted = BTreeMap::<&str, Vec<&StormScan>>::new();
    for scan in scans.iter().filter(|scan| scan.admission.is_some()) {
        admitted.entry(&scan.ticket.id).or_default().push(scan);
    }
    let (mut allowed, mut unallowed) = (Vec::new(), Vec::new());
    for (ticket, scans) in admitted.iter().filter(|(_, scans)| scans.len() > 1) {
        let pairs = scans.iter().enumerate().flat_map(|(at, one)| scans[at + 1..].iter().map(move |two| (one, two)));
        if pairs.clone().all(|(one, two)| is_allowed(one, two) || is_allowed(two, one)) {
            allowed.push((*ticket, scans.iter().any(|scan| scan.warm_lost)));
        } else {
            unallowed.push(format!("{ticket}: {scans:?}"));
        }
    }
    println!("{} tickets admitted; twice where no available store knew: {}", admitted.len(), allowed.len());
    ensure!(unallowed.is_empty(), "{unallowed:?}");
    let conflicts = people.organizer.all(&format!("/api/v1/conflicts?event={}", people.event.id)).await?;
    // An admission that warm has lost is known only to the device, which is answered that the ticket is used.
    for (ticket, _) in allowed.into_iter().filter(|(_, lost)| !lost) {
        ensure!(conflicts.iter().any(|conflict| conflict["ticket"] == *ticket), "{ticket} is not reported");
    }
    Ok(())
}

/// Checks that no ticket is admitted after its refund was acknowledged. Stricter than the promise: a refund does not say which stores know it.
pub fn check_refunded(people: &StormPeople) -> anyhow::Result<()> {
    let records = people.record.lock();
    // Warm knows that a ticket is revoked, but not why.
    let is_refused = |scan: &&StormScan| scan.admission.is_none() && ["refunded", "revoked"].contains(&&*scan.outcome);
    let admitted: Vec<_> = records.scans_after_refund.iter().filter(|scan| !is_refused(scan)).collect();
    println!("{} refunded tickets were scanned", records.scans_after_refund.len());
    ensure!(admitted.is_empty(), "{admitted:?}");
    Ok(())
}

/// Whether no store that decided `second` could know `first`.
fn is_allowed(first: &StormScan, second: &StormScan) -> bool {
    use ScanKnowledge::{Both, ColdAlone, WarmAlone};
    let (Some(one), Some(two)) = (&first.admission, &second.admission) else { return true };
    let comes_first = one.from <= two.until;
    comes_first
        && match (one.known_by, two.known_by) {
            (Both, _) | (ColdAlone, ColdAlone | Both) => false,
            (ColdAlone, WarmAlone) => true,
            (WarmAlone, ColdAlone) => first.warm_lost || two.from < first.durable,
            (WarmAlone, WarmAlone | Both) => first.warm_lost,
        }
}

/// Checks that another organization's device reads nothing about the tickets, and that its key reads no orders and scans (P7).
pub async fn check_isolation(people: &StormPeople, others: &StormPeople) -> anyhow::Result<()> {
    let scans = people.record.lock().scans.clone();
    let step = (scans.len() / RESCANNED_TICKETS).max(1);
    for (at, scan) in scans.iter().step_by(step).enumerate() {
        let node = &people.nodes[at % people.nodes.len()];
        let scanner = others.scanner.at(node);
        let seen = scanner.send(&scanner.scan_of(&scan.ticket.code)).await?.must(200)?;
        let outcome = scan_outcome(&seen);
        let is_unknown = ["unknown_key", "wrong_event", "invalid"].contains(&outcome.as_str());
        ensure!(is_unknown, "a foreign gate is answered {seen}");
        ensure!(seen["ticket"].is_null() && seen["first"].is_null(), "a foreign gate is answered {seen}");
        let call = || ApiCall { bearer: Some(&others.organizer.key), ..ApiCall::default() };
        for path in [
            format!("/api/v1/orders/{}", scan.ticket.order),
            format!("/api/v1/scans?event={}", people.event.id),
            format!("/api/v1/conflicts?event={}", people.event.id),
        ] {
            let response = node.call(Method::GET, &path, call()).await?;
            ensure!(response.status == 404, "{path} with a foreign key: {} {}", response.status, response.body);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::super::record::Admission;
    use super::ScanKnowledge::{Both, ColdAlone, WarmAlone};
    use super::*;
    use crate::clients::IssuedTicket;

    fn scan(
        begin: Instant,
        from: u64,
        until: u64,
        known_by: ScanKnowledge,
        durable: u64,
        warm_lost: bool,
    ) -> StormScan {
        let at = |seconds| begin + Duration::from_secs(seconds);
        let admission = Some(Admission { from: at(from), until: at(until), known_by });
        let text = String::new;
        let ticket = IssuedTicket { order: text(), id: text(), code: text() };
        StormScan { ticket, outcome: text(), admission, durable: at(durable), warm_lost }
    }

    #[test]
    fn two_admissions_are_allowed_only_where_the_deciding_store_could_not_know_the_first() {
        let begin = Instant::now();
        let first = |known_by, durable, lost| scan(begin, 0, 1, known_by, durable, lost);
        let second = |known_by| scan(begin, 2, 3, known_by, 3, false);
        let unknown = scan(begin, 2, 3, WarmAlone, 9, false);
        for known_by in [Both, ColdAlone, WarmAlone] {
            assert!(!is_allowed(&first(Both, 1, false), &second(known_by)), "both knew");
        }
        assert!(is_allowed(&first(ColdAlone, 1, false), &unknown), "cold alone knew, warm alone decided");
        assert!(!is_allowed(&first(ColdAlone, 1, false), &second(ColdAlone)));
        assert!(!is_allowed(&first(ColdAlone, 1, false), &second(Both)));
        assert!(is_allowed(&first(WarmAlone, 5, false), &second(ColdAlone)), "warm alone knew, cold alone decided");
        assert!(!is_allowed(&first(WarmAlone, 2, false), &scan(begin, 4, 5, ColdAlone, 5, false)), "cold had it");
        assert!(!is_allowed(&first(WarmAlone, 5, false), &second(Both)));
        assert!(!is_allowed(&first(WarmAlone, 5, false), &unknown));
        assert!(is_allowed(&first(WarmAlone, 5, true), &second(Both)), "warm had lost it");
        assert!(!is_allowed(&unknown, &first(ColdAlone, 1, true)), "the other came first");
    }
}
