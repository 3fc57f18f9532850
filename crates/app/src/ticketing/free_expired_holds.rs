//! Frees expired holds whose event had no other step since (P4); the loop in `crates/app/src/ticketing/slice.rs` calls it each second on workers.

use super::ports::InventoryStore;
use crate::error::StoreResult;

/// Expired holds that one step frees, so that steps stay short.
const HOLDS_PER_STEP_MAX: usize = 100;

/// Repeats [`InventoryStore::free_expired_holds`] until no expired hold is left; returns the number of freed holds.
///
/// # Errors
/// A fault of the warm tier; the next round frees the rest.
pub async fn free_all_expired_holds(store: &dyn InventoryStore) -> StoreResult<usize> {
    let mut freed = 0;
    loop {
        let expired = store.free_expired_holds(HOLDS_PER_STEP_MAX).await?;
        freed += expired;
        if expired < HOLDS_PER_STEP_MAX {
            return Ok(freed);
        }
        tokio::task::yield_now().await;
    }
}
