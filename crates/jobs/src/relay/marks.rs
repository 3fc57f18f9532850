//! What the store must still be told of rows that were read: delivered, or again after a pause. Many rows, one commit.
//!
//! Never: a mark forgotten because the store was away; it is offered again. A pause lives in this process only: a restart tries at once.

use std::collections::BTreeMap;

use uuid::Uuid;
use voelgoed_app::error::StoreResult;
use voelgoed_domain::time::Timestamp;
use voelgoed_telemetry::metrics::cold::outbox_relayed;

use super::{AggregateRead, Relay};
use crate::backoff::doubled;

/// Rows whose failures are counted; past this the count starts anew, and with it their pauses.
const COUNTED_MAX: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Marks {
    delivered: Vec<(Uuid, Timestamp)>,
    /// By the number of failures of the row in front; 0 where it was merely not reached.
    postponed: BTreeMap<u32, Vec<Uuid>>,
    failures: BTreeMap<Uuid, u32>,
}

impl Marks {
    /// How many rows wait to be marked.
    pub(super) fn len(&self) -> usize {
        self.delivered.len() + self.postponed.values().map(Vec::len).sum::<usize>()
    }

    /// Notes what became of an aggregate's rows.
    pub(super) fn note(&mut self, read: AggregateRead) {
        for (id, _) in &read.delivered {
            self.failures.remove(id);
        }
        self.delivered.extend(read.delivered);
        let failures = read.failed.map_or(0, |id| {
            if self.failures.len() >= COUNTED_MAX {
                self.failures.clear();
            }
            let count = self.failures.entry(id).or_default();
            *count = count.saturating_add(1);
            *count
        });
        let back = read.failed.into_iter().chain(read.behind).collect::<Vec<_>>();
        if !back.is_empty() {
            self.postponed.entry(failures).or_default().extend(back);
        }
    }

    /// Tells the store; what it did not hear stays noted.
    pub(super) async fn flush(&mut self, relay: &Relay) -> StoreResult<()> {
        if !self.delivered.is_empty() {
            let now = relay.environment.now();
            let ids: Vec<Uuid> = self.delivered.iter().map(|(id, _)| *id).collect();
            relay.store.delivered(&ids, now).await?;
            for (_, at) in self.delivered.drain(..) {
                outbox_relayed(now.since(at));
            }
        }
        while let Some((&failures, ids)) = self.postponed.first_key_value() {
            let pause = match failures.checked_sub(1) {
                Some(times) => doubled(relay.settings.first_pause, times, relay.settings.longest_pause),
                None => std::time::Duration::ZERO,
            };
            relay.store.postpone(ids, relay.environment.now().plus(pause)).await?;
            self.postponed.pop_first();
        }
        Ok(())
    }
}
