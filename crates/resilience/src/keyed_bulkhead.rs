//! Gives each key a bulkhead of its own, so that one tenant's load cannot take the places of another (P9).
//!
//! Never: more bulkheads than `keys_max`. Keys beyond that number share one bulkhead until another key's becomes idle.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use crate::bulkhead::{Bulkhead, BulkheadFull, BulkheadLimit};

/// The bulkheads of one kind of work.
#[derive(Debug)]
pub struct KeyedBulkhead<K> {
    limit: BulkheadLimit,
    keys_max: usize,
    by_key: Mutex<HashMap<K, Arc<Bulkhead>>>,
    overflow: Arc<Bulkhead>,
}

impl<K: Hash + Eq> KeyedBulkhead<K> {
    /// Applies `limit` to each of at most `keys_max` keys.
    #[must_use]
    pub fn new(limit: BulkheadLimit, keys_max: usize) -> Self {
        Self { limit, keys_max, by_key: Mutex::default(), overflow: Arc::new(Bulkhead::new(limit)) }
    }

    /// Runs `work` as soon as the bulkhead of `key` has a free place.
    ///
    /// # Errors
    /// [`BulkheadFull`], at once, if the running and the waiting limit of the key are reached; nothing was begun.
    pub async fn run<T>(&self, key: K, work: impl Future<Output = T>) -> Result<T, BulkheadFull> {
        let bulkhead = self.bulkhead_of(key);
        let permit = bulkhead.enter().await?;
        let done = work.await;
        drop(permit);
        Ok(done)
    }

    fn bulkhead_of(&self, key: K) -> Arc<Bulkhead> {
        let mut by_key = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bulkhead) = by_key.get(&key) {
            return Arc::clone(bulkhead);
        }
        if by_key.len() >= self.keys_max {
            // A bulkhead that only this map references is idle.
            by_key.retain(|_, bulkhead| Arc::strong_count(bulkhead) > 1);
        }
        if by_key.len() >= self.keys_max {
            return Arc::clone(&self.overflow);
        }
        let bulkhead = Arc::new(Bulkhead::new(self.limit));
        by_key.insert(key, Arc::clone(&bulkhead));
        bulkhead
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};
    use tokio::task::JoinSet;

    const LIMIT: BulkheadLimit = BulkheadLimit { name: "test", running_max: 2, waiting_max: 1 };

    async fn hang(bulkheads: &Arc<KeyedBulkhead<u32>>, key: u32, calls: usize) -> JoinSet<()> {
        let mut all = JoinSet::new();
        for _ in 0..calls {
            let bulkheads = Arc::clone(bulkheads);
            all.spawn(async move { bulkheads.run(key, pending::<()>()).await.unwrap() });
        }
        tokio::task::yield_now().await;
        all
    }

    #[tokio::test]
    async fn full_key_is_refused_while_other_keys_run() {
        let bulkheads = Arc::new(KeyedBulkhead::new(LIMIT, 10));
        let mut hanging = hang(&bulkheads, 1, 3).await;
        assert_eq!(bulkheads.run(1, ready(())).await, Err(BulkheadFull { limit: LIMIT }));
        assert_eq!(bulkheads.run(2, ready(7)).await, Ok(7));
        hanging.shutdown().await;
        assert_eq!(bulkheads.run(1, ready(())).await, Ok(()), "cancelled work leaves the bulkhead");
    }

    #[tokio::test]
    async fn keys_beyond_the_limit_share_a_bulkhead_until_another_is_idle() {
        let bulkheads = Arc::new(KeyedBulkhead::new(LIMIT, 2));
        let mut hanging = [hang(&bulkheads, 1, 1).await, hang(&bulkheads, 2, 1).await];
        let mut overflow = hang(&bulkheads, 3, 3).await;
        assert_eq!(bulkheads.run(4, ready(())).await, Err(BulkheadFull { limit: LIMIT }), "shared with key 3");
        assert_eq!(bulkheads.run(1, ready(())).await, Ok(()), "a known key keeps its bulkhead");
        hanging[0].shutdown().await;
        assert_eq!(bulkheads.run(4, ready(())).await, Ok(()));
        assert_eq!(bulkheads.by_key.lock().unwrap().len(), 2);
        overflow.shutdown().await;
        hanging[1].shutdown().await;
    }
}
