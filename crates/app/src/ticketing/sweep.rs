//! Lapsed holds are swept, those that no step of the warm tier has met (P4).

use super::ports::InventoryStore;
use crate::error::StoreResult;

/// Lapsed holds that are freed in one step of an event, so that no step is long.
const SWEPT_AT_ONCE: usize = 100;

/// Frees every hold that has lapsed by now, however many lapse together; returns how many.
///
/// # Errors
/// A fault of the warm tier; the rest goes in the next round.
pub async fn sweep_round(store: &dyn InventoryStore) -> StoreResult<usize> {
    let mut freed = 0;
    loop {
        let lapsed = store.sweep(SWEPT_AT_ONCE).await?;
        freed += lapsed;
        if lapsed < SWEPT_AT_ONCE {
            return Ok(freed);
        }
        tokio::task::yield_now().await;
    }
}
