//! Counts the steps of a sale in this node's memory and appends the counts to the warm tier's streams in the background.
//!
//! Never: a wait for a store during a sale. A killed node loses the counts since its last round.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use voelgoed_domain::time::Timestamp;
use voelgoed_telemetry::metrics::count_streams::counts_lost;

use super::Analytics;
use super::ports::StepCounts;
use super::sale_step::SaleStep;
use crate::error::Fault;
use crate::ticketing::ports::{EventScope, HoldCounts};

/// A minute, in microseconds.
pub const MINUTE: i64 = 60_000_000;
/// Pairs of event and minute that one node counts between two rounds; steps of further pairs are lost.
const COUNTED_MINUTES_MAX: usize = 10_000;

/// The counters of this node.
#[derive(Debug, Default)]
pub struct Counters(Mutex<HashMap<(EventScope, Timestamp), StepCounts>>);

impl Counters {
    /// Counts a step of an event.
    pub fn count(&self, now: Timestamp, scope: EventScope, step: SaleStep) {
        let minute = minute_of(now);
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.len() >= COUNTED_MINUTES_MAX && !counted.contains_key(&(scope, minute)) {
            counts_lost(1);
            return;
        }
        let counts = counted.entry((scope, minute)).or_default();
        *match step {
            SaleStep::Viewed => &mut counts.viewed,
            SaleStep::Held => &mut counts.held,
            SaleStep::Refused => &mut counts.refused,
        } += 1;
    }

    fn counted(&self) -> Vec<(EventScope, Timestamp)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    fn take(&self, key: (EventScope, Timestamp)) -> Option<UnconfirmedCounts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&key).map(UnconfirmedCounts)
    }

    fn put_back(&self, key: (EventScope, Timestamp), counts: StepCounts) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.len() >= COUNTED_MINUTES_MAX && !counted.contains_key(&key) {
            counts_lost(steps(counts));
            return;
        }
        let sum = counted.entry(key).or_default();
        sum.viewed = sum.viewed.saturating_add(counts.viewed);
        sum.held = sum.held.saturating_add(counts.held);
        sum.refused = sum.refused.saturating_add(counts.refused);
    }
}

/// Counts that were sent and not confirmed. Dropping them counts them as lost, because a second append could count them twice.
struct UnconfirmedCounts(StepCounts);

impl UnconfirmedCounts {
    /// Takes the counts back once the result of the append is known.
    fn confirmed(mut self) -> StepCounts {
        std::mem::take(&mut self.0)
    }
}

impl Drop for UnconfirmedCounts {
    fn drop(&mut self) {
        counts_lost(steps(self.0));
    }
}

fn steps(counts: StepCounts) -> u64 {
    u64::from(counts.viewed) + u64::from(counts.held) + u64::from(counts.refused)
}

/// The start of the minute that contains `at`.
#[must_use]
pub const fn minute_of(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.micros() - at.micros().rem_euclid(MINUTE))
}

impl HoldCounts for Analytics {
    fn count(&self, scope: EventScope, step: SaleStep) {
        Self::count(self, scope, step);
    }
}

impl Analytics {
    /// Counts a step of an event.
    pub fn count(&self, scope: EventScope, step: SaleStep) {
        self.counters.count(self.context.now(), scope, step);
    }

    /// Appends the counts to the warm tier's streams and returns the number of accepted entries. Refused counts stay for the next round, and so do counts that
    /// were not sent before the caller dropped this future.
    pub async fn append_counts(&self) -> usize {
        let mut taken = 0;
        for (scope, minute) in self.counters.counted() {
            let Some(sent) = self.counters.take((scope, minute)) else { continue };
            match self.stream.append_counts(scope, minute, sent.0).await {
                Ok(()) => {
                    sent.confirmed();
                    taken += 1;
                }
                // The stream may have the entry already; a lost count is better than a double one.
                Err(Fault::Ambiguous { .. }) => drop(sent),
                Err(fault) => {
                    tracing::debug!(organization = %scope.organization, event = %scope.event, %fault, slice = "analytics", "counts wait for the warm tier");
                    self.counters.put_back((scope, minute), sent.confirmed());
                }
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minute_starts_at_the_last_whole_minute_also_before_1970() {
        for (at, began) in [(0, 0), (MINUTE - 1, 0), (MINUTE, MINUTE), (-1, -MINUTE)] {
            assert_eq!(minute_of(Timestamp::from_micros(at)), Timestamp::from_micros(began), "{at}");
        }
    }
}
