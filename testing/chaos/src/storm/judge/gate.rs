//! The gate: what was acknowledged is there, and nobody comes in twice on one ticket (P3, P6).

use std::collections::BTreeMap;

use anyhow::ensure;
use serde_json::Value;

use super::super::people::{People, word};

/// So many tickets are read once more.
const READ_AGAIN: usize = 50;

/// Both sides know of the same scans; each admission is there once; a used ticket is refused.
pub async fn scans(people: &People, orders: &[Value]) -> anyhow::Result<()> {
    let readings = people.journal.open().readings.clone();
    ensure!(!readings.is_empty(), "nobody was at the gate");
    let listed = people.organizer.all(&format!("/api/v1/scans?event={}", people.event.id)).await?;
    ensure!(listed.len() == readings.len(), "{} scans acknowledged, {} there", readings.len(), listed.len());
    let states: BTreeMap<&str, &str> = orders
        .iter()
        .flat_map(|order| order["tickets"].as_array().into_iter().flatten())
        .filter_map(|ticket| Some((ticket["id"].as_str()?, ticket["state"].as_str()?)))
        .collect();
    let mut admitted = BTreeMap::<&str, u32>::new();
    for scan in listed.iter().filter(|scan| scan["result"] == "admitted") {
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

/// At most one reading of a ticket let somebody in, by whatever store answered.
///
/// One case is lawful (P6: offline, the risk is bounded, stated, and reported): cold was away, warm alone let somebody in with `durable: false`, and
/// warm too was lost before the device had sent the scan again. No store was left that knew.
pub fn doubles(people: &People) -> anyhow::Result<()> {
    let pages = people.journal.open();
    let mut times = BTreeMap::<&str, (u32, bool)>::new();
    for reading in pages.readings.iter().filter(|reading| reading.let_in) {
        let (count, lost) = times.entry(&reading.ticket).or_default();
        *count += 1;
        *lost |= reading.warm_lost;
    }
    let twice =
        |lost: bool| times.iter().filter(move |(_, entry)| entry.0 > 1 && entry.1 == lost).map(|(ticket, _)| *ticket);
    println!("{} let in; twice where both stores had lost it: {}", times.len(), twice(true).count());
    let doubled: Vec<_> = twice(false).collect();
    ensure!(doubled.is_empty(), "{doubled:?}");
    Ok(())
}
