//! Collects the results of deliveries and writes them to the store, many rows per commit: delivered, or taken again after a backoff.
//!
//! Never: a mark dropped because the store was unavailable; it is written again. The backoff lives in this process only: a restart retries at once.

use std::collections::BTreeMap;
use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::error::StoreResult;
use voelgoed_domain::time::Timestamp;
use voelgoed_telemetry::metrics::cold::outbox_relayed;

use super::{AggregateDelivery, Relay};
use crate::backoff::doubled;

/// Limits the rows whose failures are counted; beyond it all counts, and so all backoffs, start again.
const COUNTED_ROWS_MAX: usize = 10_000;

/// Results that the store does not have yet.
#[derive(Debug, Default)]
pub(super) struct DeliveryMarks {
    delivered: Vec<(Uuid, Timestamp)>,
    /// By the number of failures of the first row; 0 where no row failed and the rows were only not started in time.
    postponed: BTreeMap<u32, Vec<Uuid>>,
    failures: BTreeMap<Uuid, u32>,
}

impl DeliveryMarks {
    /// The number of rows that wait to be marked.
    pub(super) fn len(&self) -> usize {
        self.delivered.len() + self.postponed.values().map(Vec::len).sum::<usize>()
    }

    /// Adds the result for the rows of one aggregate.
    pub(super) fn add(&mut self, delivery: AggregateDelivery) {
        for (id, _) in &delivery.delivered {
            self.failures.remove(id);
        }
        self.delivered.extend(delivery.delivered);
        let failures = delivery.failed.map_or(0, |id| {
            if self.failures.len() >= COUNTED_ROWS_MAX {
                self.failures.clear();
            }
            let count = self.failures.entry(id).or_default();
            *count = count.saturating_add(1);
            *count
        });
        let postponed = delivery.failed.into_iter().chain(delivery.untried).collect::<Vec<_>>();
        if !postponed.is_empty() {
            self.postponed.entry(failures).or_default().extend(postponed);
        }
    }

    /// Writes the marks; those that the store did not acknowledge are kept.
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
            let backoff = match failures.checked_sub(1) {
                Some(times) => doubled(relay.settings.backoff_first, times, relay.settings.backoff_max),
                None => Duration::ZERO,
            };
            relay.store.postpone(ids, relay.environment.now().plus(backoff)).await?;
            self.postponed.pop_first();
        }
        Ok(())
    }
}
