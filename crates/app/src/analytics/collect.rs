//! The workers bring what nodes counted to cold, event by event, some entries at a time.
//!
//! Repeatable by any worker at any time: cold knows an entry by its identifier (P8). An entry leaves its stream only when cold has it.

use std::time::Duration;

use uuid::Uuid;
use voelgoed_telemetry::metrics::analytics::{counts_collected, counts_waiting};

use super::ports::Counted;
use crate::error::StoreResult;
use crate::platform::Platform;

/// Between two rounds.
pub const EVERY: Duration = Duration::from_secs(5);
/// Whoever has not finished an entry for so long is taken for dead.
pub const TAKEN_OVER: Duration = Duration::from_secs(30);
/// Entries taken at once.
const AT_ONCE: usize = 500;

/// One round over every event that may have counts by the worker `reader`; returns how many entries reached cold.
///
/// # Errors
/// A fault of either tier; what is left is taken in a later round.
pub async fn collect(platform: &Platform, reader: Uuid) -> StoreResult<usize> {
    let (mut collected, mut waiting) = (0, 0);
    for scope in platform.count_stream.events().await? {
        loop {
            let counted = platform.count_stream.take(scope, reader, AT_ONCE, TAKEN_OVER).await?;
            if counted.is_empty() {
                break;
            }
            platform.analytics.add_counts(scope, &counted).await?;
            let ids: Vec<String> = counted.into_iter().map(|Counted { id, .. }| id).collect();
            let left = platform.count_stream.finish(scope, &ids).await?;
            counts_collected(ids.len());
            collected += ids.len();
            if ids.len() < AT_ONCE {
                waiting += left;
                break;
            }
        }
    }
    counts_waiting(waiting);
    Ok(collected)
}
