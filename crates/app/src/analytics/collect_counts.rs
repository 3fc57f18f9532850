//! Moves the step counts of all nodes from the warm tier's streams to cold, event by event and page by page.
//!
//! Any worker may repeat this at any time, because cold ignores an entry whose identifier it has (P8). Never: an entry deleted from its stream before cold has it.

use std::time::Duration;

use uuid::Uuid;
use voelgoed_telemetry::metrics::count_streams::{counts_collected, counts_waiting};

use super::Analytics;
use super::ports::StepCountEntry;
use crate::error::StoreResult;

/// The time between two rounds.
pub const COLLECT_INTERVAL: Duration = Duration::from_secs(5);
/// Age at which another worker reclaims an entry that its worker did not finish.
pub const RECLAIM_AFTER: Duration = Duration::from_secs(30);
/// Entries that one call takes from a stream.
const ENTRIES_PER_TAKE_MAX: usize = 500;

impl Analytics {
    /// Runs one round over all events with streams as the worker `reader`; returns the number of entries that reached cold.
    ///
    /// # Errors
    /// A fault of either tier; a later round takes the remaining entries.
    pub async fn collect_counts(&self, reader: Uuid) -> StoreResult<usize> {
        let (mut collected, mut waiting) = (0, 0);
        for scope in self.stream.events().await? {
            loop {
                let counted = self.stream.take(scope, reader, ENTRIES_PER_TAKE_MAX, RECLAIM_AFTER).await?;
                if counted.is_empty() {
                    break;
                }
                self.store.add_counts(scope, &counted).await?;
                let ids: Vec<String> = counted.into_iter().map(|StepCountEntry { id, .. }| id).collect();
                let left = self.stream.finish(scope, &ids).await?;
                counts_collected(ids.len());
                collected += ids.len();
                if ids.len() < ENTRIES_PER_TAKE_MAX {
                    waiting += left;
                    break;
                }
            }
        }
        counts_waiting(waiting);
        Ok(collected)
    }
}
