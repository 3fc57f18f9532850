//! What this node has counted and not yet handed on: numbers in its memory, so that a sale pays nanoseconds for them.
//!
//! Never: a wait for a store on the path of a sale. What a node counted since its last round goes with it where it is killed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use voelgoed_domain::time::Timestamp;
use voelgoed_telemetry::metrics::analytics::counts_lost;

use super::ports::{Counts, Step};
use crate::environment::Environment;
use crate::error::Fault;
use crate::platform::Platform;
use crate::ticketing::ports::EventScope;

/// A minute, in microseconds.
pub const MINUTE: i64 = 60_000_000;
/// Events and minutes that are counted at once; what comes beyond them until the next round is not.
const MOST: usize = 10_000;

/// The counters of this node.
#[derive(Debug, Default)]
pub struct Counters(Mutex<HashMap<(EventScope, Timestamp), Counts>>);

impl Counters {
    /// Counts a step of an event.
    pub fn count(&self, environment: &dyn Environment, scope: EventScope, step: Step) {
        let minute = minute_of(environment.now());
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.len() >= MOST && !counted.contains_key(&(scope, minute)) {
            counts_lost(1);
            return;
        }
        let counts = counted.entry((scope, minute)).or_default();
        *match step {
            Step::Viewed => &mut counts.viewed,
            Step::Held => &mut counts.held,
            Step::Refused => &mut counts.refused,
        } += 1;
    }

    fn counted(&self) -> Vec<(EventScope, Timestamp)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    fn take(&self, key: (EventScope, Timestamp)) -> Option<OnItsWay> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&key).map(OnItsWay)
    }

    fn put_back(&self, key: (EventScope, Timestamp), counts: Counts) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.len() >= MOST && !counted.contains_key(&key) {
            counts_lost(steps(counts));
            return;
        }
        let known = counted.entry(key).or_default();
        known.viewed = known.viewed.saturating_add(counts.viewed);
        known.held = known.held.saturating_add(counts.held);
        known.refused = known.refused.saturating_add(counts.refused);
    }
}

/// Counts of which nobody knows yet whether they were taken; so it stays where whoever hands them on is cut off, and they are lost.
struct OnItsWay(Counts);

impl OnItsWay {
    /// It is known what became of them.
    fn known(mut self) -> Counts {
        std::mem::take(&mut self.0)
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        counts_lost(steps(self.0));
    }
}

fn steps(counts: Counts) -> u64 {
    u64::from(counts.viewed) + u64::from(counts.held) + u64::from(counts.refused)
}

/// When the minute of a moment began.
#[must_use]
pub const fn minute_of(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.micros() - at.micros().rem_euclid(MINUTE))
}

/// Hands on what was counted; what the warm tier does not take is kept for the next round, and so is what is not on its way yet when the caller
/// stops waiting. Returns how many entries were taken.
pub async fn hand_on(platform: &Platform) -> usize {
    let mut taken = 0;
    for (scope, minute) in platform.counters.counted() {
        let Some(sent) = platform.counters.take((scope, minute)) else { continue };
        match platform.count_stream.append(scope, minute, sent.0).await {
            Ok(()) => {
                sent.known();
                taken += 1;
            }
            // It may be there already; once too few is better than twice.
            Err(Fault::Ambiguous { .. }) => drop(sent),
            Err(fault) => {
                tracing::debug!(organization = %scope.organization, event = %scope.event, %fault, slice = "analytics", "counts wait for the warm tier");
                platform.counters.put_back((scope, minute), sent.known());
            }
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_begin_where_clocks_say() {
        for (at, began) in [(0, 0), (MINUTE - 1, 0), (MINUTE, MINUTE), (-1, -MINUTE)] {
            assert_eq!(minute_of(Timestamp::from_micros(at)), Timestamp::from_micros(began), "{at}");
        }
    }
}
