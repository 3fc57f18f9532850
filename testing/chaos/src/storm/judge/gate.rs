//! The gate: what was acknowledged is there, and nobody comes in twice on one ticket (P3, P6).

use std::collections::BTreeMap;

use anyhow::ensure;
use reqwest::Method;
use serde_json::Value;
use voelgoed_testkit::client::Call;

use super::super::journal::{Known, Reading};
use super::super::people::{People, word};

/// So many tickets are read once more.
const READ_AGAIN: usize = 50;

/// Both sides know of the same scans; each admission is there once; a used ticket is refused.
pub async fn scans(people: &People, orders: &[Value]) -> anyhow::Result<()> {
    let (readings, acknowledged) = {
        let pages = people.journal.open();
        (pages.readings.clone(), pages.readings.len() + pages.turned_away.len())
    };
    ensure!(!readings.is_empty(), "nobody was at the gate");
    let listed = people.organizer.all(&format!("/api/v1/scans?event={}", people.event.id)).await?;
    ensure!(listed.len() == acknowledged, "{acknowledged} scans acknowledged, {} there", listed.len());
    let states: BTreeMap<&str, &str> = orders
        .iter()
        .flat_map(|order| order["tickets"].as_array().into_iter().flatten())
        .filter_map(|ticket| Some((ticket["id"].as_str()?, ticket["state"].as_str()?)))
        .collect();
    let mut admitted = BTreeMap::<&str, u32>::new();
    // Whoever warm let in stays let in; what speaks against it is a conflict, which `doubles` judges.
    for scan in listed.iter().filter(|scan| scan["result"] == "admitted" && scan["conflict"] != true) {
        *admitted.entry(scan["ticket"].as_str().unwrap_or_default()).or_default() += 1;
    }
    for reading in &readings {
        let (state, times) = (states.get(reading.ticket.as_str()), admitted.get(reading.ticket.as_str()));
        ensure!(state == Some(&"used"), "{} was read ({}) and is {state:?}", reading.ticket, reading.word);
        ensure!(times == Some(&1), "{} was read ({}) and is admitted {times:?} times", reading.ticket, reading.word);
    }
    let step = (readings.len() / READ_AGAIN).max(1);
    for (at, reading) in readings.iter().step_by(step).enumerate() {
        let scanner = people.scanner.at(&people.nodes[at % people.nodes.len()]);
        let anew = scanner.send(&scanner.read(&reading.code)).await?.must(200)?;
        ensure!(word(&anew) == "already_used", "a used ticket gets {anew}");
    }
    Ok(())
}

/// At most one reading of a ticket let somebody in while a store lives that knew of it (P6).
///
/// Which stores know, each answer says (docs/adr/0010): both, where it is `durable` and not `degraded`. Only where one alone knew, and that one was
/// away or had lost it when the other decided, two people on one ticket are lawful; then it is reported as a conflict.
pub async fn doubles(people: &People) -> anyhow::Result<()> {
    let readings = people.journal.open().readings.clone();
    let mut let_in = BTreeMap::<&str, Vec<&Reading>>::new();
    for reading in readings.iter().filter(|reading| reading.let_in.is_some()) {
        let_in.entry(&reading.ticket).or_default().push(reading);
    }
    let (mut lawful, mut doubled) = (Vec::new(), Vec::new());
    for (ticket, readings) in let_in.iter().filter(|(_, readings)| readings.len() > 1) {
        let pairs =
            readings.iter().enumerate().flat_map(|(at, one)| readings[at + 1..].iter().map(move |two| (one, two)));
        if pairs.clone().all(|(one, two)| is_lawful(one, two) || is_lawful(two, one)) {
            lawful.push((*ticket, readings.iter().any(|reading| reading.warm_lost)));
        } else {
            doubled.push(format!("{ticket}: {readings:?}"));
        }
    }
    println!("{} let in; twice where no store lived that knew: {}", let_in.len(), lawful.len());
    ensure!(doubled.is_empty(), "{doubled:?}");
    let conflicts = people.organizer.all(&format!("/api/v1/conflicts?event={}", people.event.id)).await?;
    // What warm lost only the device knows, which hears that the ticket is used.
    for (ticket, _) in lawful.into_iter().filter(|(_, lost)| !lost) {
        ensure!(conflicts.iter().any(|conflict| conflict["ticket"] == *ticket), "{ticket} is not reported");
    }
    Ok(())
}

/// Nobody gets in on a ticket whose refund was acknowledged. Stricter than the promise: the answer to a refund does not say who knows of it.
pub fn refunded(people: &People) -> anyhow::Result<()> {
    let pages = people.journal.open();
    // Warm alone knows that it is revoked, not why.
    let turned_away =
        |reading: &&Reading| reading.let_in.is_none() && ["refunded", "revoked"].contains(&&*reading.word);
    let let_in: Vec<_> = pages.turned_away.iter().filter(|reading| !turned_away(reading)).collect();
    println!("{} came with a refunded ticket", pages.turned_away.len());
    ensure!(let_in.is_empty(), "{let_in:?}");
    Ok(())
}

/// Whether nobody who was asked for `second` could know of `first`.
fn is_lawful(first: &Reading, second: &Reading) -> bool {
    let (Some(one), Some(two)) = (&first.let_in, &second.let_in) else { return true };
    let comes_first = one.from <= two.until;
    comes_first
        && match (one.known, two.known) {
            (Known::Both, _) | (Known::ColdAlone, Known::ColdAlone | Known::Both) => false,
            (Known::ColdAlone, Known::WarmAlone) => true,
            (Known::WarmAlone, Known::ColdAlone) => first.warm_lost || two.from < first.durable,
            (Known::WarmAlone, Known::WarmAlone | Known::Both) => first.warm_lost,
        }
}

/// Another organization's device is told nothing of our tickets, and its key opens none of our orders and scans (P7).
pub async fn apart(people: &People, others: &People) -> anyhow::Result<()> {
    let readings = people.journal.open().readings.clone();
    let step = (readings.len() / READ_AGAIN).max(1);
    for (at, reading) in readings.iter().step_by(step).enumerate() {
        let node = &people.nodes[at % people.nodes.len()];
        let scanner = others.scanner.at(node);
        let seen = scanner.send(&scanner.read(&reading.code)).await?.must(200)?;
        let word = word(&seen);
        ensure!(["unknown_key", "wrong_event", "invalid"].contains(&word.as_str()), "a stranger's gate hears {seen}");
        ensure!(seen["ticket"].is_null() && seen["first"].is_null(), "a stranger's gate hears {seen}");
        let call = || Call { bearer: Some(&others.organizer.key), ..Call::default() };
        for path in [
            format!("/api/v1/orders/{}", reading.order),
            format!("/api/v1/scans?event={}", people.event.id),
            format!("/api/v1/conflicts?event={}", people.event.id),
        ] {
            let answer = node.call(Method::GET, &path, call()).await?;
            ensure!(answer.status == 404, "a stranger's {path}: {} {}", answer.status, answer.body);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::super::journal::LetIn;
    use super::*;

    fn reading(begin: Instant, from: u64, until: u64, known: Known, durable: u64, warm_lost: bool) -> Reading {
        let at = |seconds| begin + Duration::from_secs(seconds);
        let let_in = Some(LetIn { from: at(from), until: at(until), known });
        let text = String::new;
        Reading { code: text(), order: text(), ticket: text(), word: text(), let_in, durable: at(durable), warm_lost }
    }

    #[test]
    fn two_on_one_ticket_are_lawful_only_where_nobody_asked_could_know() {
        let begin = Instant::now();
        let first = |known, durable, lost| reading(begin, 0, 1, known, durable, lost);
        let second = |known| reading(begin, 2, 3, known, 3, false);
        let unknown = reading(begin, 2, 3, Known::WarmAlone, 9, false);
        for known in [Known::Both, Known::ColdAlone, Known::WarmAlone] {
            assert!(!is_lawful(&first(Known::Both, 1, false), &second(known)), "both knew");
        }
        assert!(is_lawful(&first(Known::ColdAlone, 1, false), &unknown), "cold alone knew, warm alone was asked");
        assert!(!is_lawful(&first(Known::ColdAlone, 1, false), &second(Known::ColdAlone)));
        assert!(!is_lawful(&first(Known::ColdAlone, 1, false), &second(Known::Both)));
        assert!(
            is_lawful(&first(Known::WarmAlone, 5, false), &second(Known::ColdAlone)),
            "warm alone knew, cold alone was asked"
        );
        assert!(
            !is_lawful(&first(Known::WarmAlone, 2, false), &reading(begin, 4, 5, Known::ColdAlone, 5, false)),
            "cold had it"
        );
        assert!(!is_lawful(&first(Known::WarmAlone, 5, false), &second(Known::Both)));
        assert!(!is_lawful(&first(Known::WarmAlone, 5, false), &unknown));
        assert!(is_lawful(&first(Known::WarmAlone, 5, true), &second(Known::Both)), "warm had lost it");
        assert!(!is_lawful(&unknown, &first(Known::ColdAlone, 1, true)), "the other came first");
    }
}
