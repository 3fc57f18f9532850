//! A bulkhead for each key, so that one tenant's rush takes its own share of a node and not its neighbours' (P9).
//!
//! Never: more keys than the limit says. Whoever comes beyond them shares one bulkhead, unless somebody else's is empty.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use crate::bulkhead::{Bulkhead, BulkheadFull, BulkheadLimit};

/// The bulkheads of one kind of work.
#[derive(Debug)]
pub struct Shares<K> {
    limit: BulkheadLimit,
    most: usize,
    known: Mutex<HashMap<K, Arc<Bulkhead>>>,
    others: Arc<Bulkhead>,
}

impl<K: Hash + Eq> Shares<K> {
    /// Each of at most `most` keys may have `limit` in work.
    #[must_use]
    pub fn new(limit: BulkheadLimit, most: usize) -> Self {
        Self { limit, most, known: Mutex::default(), others: Arc::new(Bulkhead::new(limit)) }
    }

    /// Works once there is room for one more of `key`.
    ///
    /// # Errors
    /// [`BulkheadFull`], at once, where as many work and wait as may; nothing was begun.
    pub async fn within<T>(&self, key: K, work: impl Future<Output = T>) -> Result<T, BulkheadFull> {
        let share = self.of(key);
        let place = share.enter().await?;
        let done = work.await;
        drop(place);
        Ok(done)
    }

    fn of(&self, key: K) -> Arc<Bulkhead> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = known.get(&key) {
            return Arc::clone(share);
        }
        if known.len() >= self.most {
            // Nobody is in a bulkhead that only this list knows.
            known.retain(|_, share| Arc::strong_count(share) > 1);
        }
        if known.len() >= self.most {
            return Arc::clone(&self.others);
        }
        let share = Arc::new(Bulkhead::new(self.limit));
        known.insert(key, Arc::clone(&share));
        share
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};
    use tokio::task::JoinSet;

    const LIMIT: BulkheadLimit = BulkheadLimit { name: "test", running: 2, waiting: 1 };

    async fn stuck(shares: &Arc<Shares<u32>>, key: u32, times: usize) -> JoinSet<()> {
        let mut all = JoinSet::new();
        for _ in 0..times {
            let shares = Arc::clone(shares);
            all.spawn(async move { shares.within(key, pending::<()>()).await.unwrap() });
        }
        tokio::task::yield_now().await;
        all
    }

    #[tokio::test]
    async fn a_full_share_refuses_its_own_and_nobody_else() {
        let shares = Arc::new(Shares::new(LIMIT, 10));
        let mut flood = stuck(&shares, 1, 3).await;
        assert_eq!(shares.within(1, ready(())).await, Err(BulkheadFull { limit: LIMIT }));
        assert_eq!(shares.within(2, ready(7)).await, Ok(7));
        flood.shutdown().await;
        assert_eq!(shares.within(1, ready(())).await, Ok(()), "who gives up leaves the share");
    }

    #[tokio::test]
    async fn keys_beyond_the_limit_share_and_idle_ones_make_room() {
        let shares = Arc::new(Shares::new(LIMIT, 2));
        let mut floods = [stuck(&shares, 1, 1).await, stuck(&shares, 2, 1).await];
        let mut others = stuck(&shares, 3, 3).await;
        assert_eq!(shares.within(4, ready(())).await, Err(BulkheadFull { limit: LIMIT }), "with the third");
        assert_eq!(shares.within(1, ready(())).await, Ok(()), "whoever is known keeps a share");
        floods[0].shutdown().await;
        assert_eq!(shares.within(4, ready(())).await, Ok(()));
        assert_eq!(shares.known.lock().unwrap().len(), 2);
        others.shutdown().await;
        floods[1].shutdown().await;
    }
}
