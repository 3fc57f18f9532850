//! Counts per show event, for at most [`LIVE_EVENTS_MAX`] open events; all other events are counted together as `other`.
//!
//! A series ends with its event, so the number of series is limited (P9), and belongs to one tenant (P7), because each carries organization and event. To add
//! a metric: one line in `metrics/live_event.rs`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use uuid::Uuid;

use crate::metric::{Metric, OTHER};
use crate::metrics::live_event::{self, EventCounter};

/// Limit of events with labels of their own.
pub const LIVE_EVENTS_MAX: usize = 100;

const COUNTERS: usize = live_event::ALL.len();

static LABELS: EventLabels = EventLabels::new();

struct Row {
    organization: String,
    event: String,
    counts: [AtomicU64; COUNTERS],
}

/// The events with labels of their own, and their counts.
pub struct EventLabels {
    rows: RwLock<BTreeMap<Uuid, Row>>,
    other: [AtomicU64; COUNTERS],
}

/// Gives `event` labels of its own, with ids as logs write them.
///
/// False if [`LIVE_EVENTS_MAX`] events have labels; `event` is then counted as `other`.
pub fn open(event: Uuid, organization_text: &str, event_text: &str) -> bool {
    LABELS.open(event, organization_text, event_text)
}

/// Removes the series of `event` from `/metrics`.
pub fn close(event: Uuid) {
    LABELS.close(event);
}

pub(crate) fn count(event: Uuid, counter: EventCounter, by: u64) {
    LABELS.count(event, counter, by);
}

pub(crate) fn render(metric: &Metric, service: &str, into: &mut String) {
    LABELS.render(metric, service, into);
}

impl EventLabels {
    const fn new() -> Self {
        Self { rows: RwLock::new(BTreeMap::new()), other: [const { AtomicU64::new(0) }; COUNTERS] }
    }

    fn open(&self, event: Uuid, organization_text: &str, event_text: &str) -> bool {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        if rows.len() >= LIVE_EVENTS_MAX && !rows.contains_key(&event) {
            return false;
        }
        rows.entry(event).or_insert_with(|| Row {
            organization: organization_text.to_owned(),
            event: event_text.to_owned(),
            counts: [const { AtomicU64::new(0) }; COUNTERS],
        });
        true
    }

    fn close(&self, event: Uuid) {
        self.rows.write().unwrap_or_else(PoisonError::into_inner).remove(&event);
    }

    fn count(&self, event: Uuid, counter: EventCounter, by: u64) {
        let rows = self.read();
        let counts = rows.get(&event).map_or(&self.other, |row| &row.counts);
        counts[counter as usize].fetch_add(by, Ordering::Relaxed);
    }

    fn render(&self, metric: &Metric, service: &str, into: &mut String) {
        let Some(at) = live_event::ALL.iter().position(|listed| listed.name == metric.name) else { return };
        let rows = self.read();
        let own = rows.values().map(|row| (row.organization.as_str(), row.event.as_str(), &row.counts));
        for (organization, event, counts) in own.chain([(OTHER, OTHER, &self.other)]) {
            let _ = writeln!(
                into,
                "{}{{service_type=\"{service}\",slice=\"{}\",organization=\"{organization}\",event=\"{event}\"}} {}",
                metric.name,
                metric.slice,
                counts[at].load(Ordering::Relaxed)
            );
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<Uuid, Row>> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(labels: &EventLabels) -> Vec<String> {
        let mut text = String::new();
        labels.render(&live_event::EVENT_HOLDS_GRANTED_TOTAL, "web", &mut text);
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn event_past_the_limit_is_counted_as_other_until_another_closes() {
        let labels = EventLabels::new();
        let event = |n: usize| Uuid::from_u128(n as u128);
        for n in 0..LIVE_EVENTS_MAX {
            assert!(labels.open(event(n), "org_a", &format!("evt_{n}")));
        }
        assert!(!labels.open(event(100), "org_a", "evt_100"));
        assert!(labels.open(event(7), "org_a", "evt_7"), "opening an open event takes no second place");
        labels.count(event(7), EventCounter::HoldsGranted, 2);
        labels.count(event(100), EventCounter::HoldsGranted, 3);
        let before = lines(&labels);
        assert_eq!(before.len(), LIVE_EVENTS_MAX + 1);
        assert!(before.iter().any(|line| line.contains("organization=\"org_a\",event=\"evt_7\"} 2")));
        assert!(before.iter().any(|line| line.contains("organization=\"other\",event=\"other\"} 3")));

        labels.close(event(7));
        assert!(labels.open(event(100), "org_b", "evt_100"));
        labels.count(event(100), EventCounter::HoldsGranted, 1);
        let after = lines(&labels);
        assert_eq!(after.len(), LIVE_EVENTS_MAX + 1);
        assert!(!after.iter().any(|line| line.contains("evt_7\"")), "a closed event leaves no series");
        assert!(after.iter().any(|line| line.contains("organization=\"org_b\",event=\"evt_100\"} 1")));
    }
}
