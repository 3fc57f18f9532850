//! Tests that the change log is bounded by its place changes too, and keeps the newest step whatever its size.

use super::*;
use crate::ticketing::inventory::change_log::ChangeLog;

/// A log of steps with these numbers of place changes.
fn log(steps: &[usize]) -> ChangeLog {
    let mut log = ChangeLog::default();
    for (seq, size) in (1..).zip(steps) {
        let position = Position { epoch: Epoch(1), seq };
        log.push(InventoryChange { position, places: vec![(PlaceNumber(0), DisplayState::Held); *size] });
    }
    log
}

#[test]
fn oldest_steps_are_dropped_above_the_limit_of_place_changes() {
    assert_eq!(LOG_CHANGES_MAX, 65_536);
    for (steps, oldest) in [
        (&[65_536][..], 1),
        (&[70_000], 1),
        (&[40_000, 25_536], 1),
        (&[40_000, 25_537], 2),
        (&[40_000, 20_000, 30_000], 2),
        (&[40_000, 20_000, 60_000], 3),
        (&[70_000, 1], 2),
        (&[70_000, 1, 65_535], 2),
        (&[70_000, 1, 65_536], 3),
        (&[1, 65_535, 0], 1),
    ] {
        let log = log(steps);
        let newest = steps.len() as u64;
        for since in 0..=newest {
            let kept = log.after(since).map(|changes| changes.iter().map(|change| change.position.seq).collect());
            let expected: Option<Vec<u64>> = (since + 1 >= oldest).then(|| (since + 1..=newest).collect());
            assert_eq!(kept, expected, "{steps:?} since {since}");
        }
    }
    assert_eq!(log(&[]).after(0), None);
}
