//! Counts tries of a secret that may be wrong: each is counted before the secret is looked at, and given back where the secret was right.
//!
//! Never: a try that is decided without having been counted, so many tries at once are no way around the limit. What is given back stays on this node.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use voelgoed_resilience::{RateLimit, RateLimited};

use super::ports::{Allowances, Caller};
use super::{Limited, Limiter};

/// Keys that have tries to take again before they are counted anew.
const RETURNED_KEYS_MAX: usize = 10_000;

/// Limits wrong tries by key.
pub struct AttemptLimiter<K: Limited> {
    limiter: Limiter<K>,
    burst: u32,
    returned: Mutex<HashMap<K, u32>>,
}

/// A try that was counted.
#[must_use = "a try that succeeded is given back"]
pub struct Attempt<'a, K: Limited> {
    of: &'a AttemptLimiter<K>,
    key: K,
}

impl<K: Limited> AttemptLimiter<K> {
    /// A limiter that has seen nobody; `shared` is what the nodes count in common.
    #[must_use]
    pub fn new(limit: RateLimit, shared: Option<Arc<dyn Allowances>>) -> Self {
        Self { limiter: Limiter::new(limit, shared), burst: limit.burst, returned: Mutex::default() }
    }

    /// Counts a try.
    ///
    /// # Errors
    /// [`RateLimited`] with the time until the next one; the secret must not be looked at then.
    pub async fn begin(&self, key: K) -> Result<Attempt<'_, K>, RateLimited> {
        if !self.take_returned(&key) {
            self.limiter.check(&key).await?;
        }
        Ok(Attempt { of: self, key })
    }

    fn take_returned(&self, key: &K) -> bool {
        let mut returned = self.returned();
        let Some(left) = returned.get_mut(key) else { return false };
        *left -= 1;
        if *left == 0 {
            returned.remove(key);
        }
        true
    }

    fn returned(&self) -> MutexGuard<'_, HashMap<K, u32>> {
        self.returned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Limited> Attempt<'_, K> {
    /// The secret was right, or was not looked at: the try is given back.
    pub fn give_back(self) {
        let mut returned = self.of.returned();
        if returned.len() >= RETURNED_KEYS_MAX {
            // Who loses one has a try less for a while.
            returned.clear();
        }
        // More than the limit allows at once would be a way around it later.
        let tries = returned.entry(self.key).or_default();
        *tries = (*tries + 1).min(self.of.burst);
    }
}

/// Something that is counted under its SHA-256, such as an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl Limited for Fingerprint {
    fn caller(&self) -> Caller {
        let name = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        Caller { organization: None, name }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LIMIT: RateLimit = RateLimit { name: "test", burst: 3, per: Duration::from_secs(30), keys: 100 };

    #[tokio::test(start_paused = true)]
    async fn wrong_tries_are_counted_and_right_ones_are_not() {
        let limiter = AttemptLimiter::new(LIMIT, None);
        let [one, other] = [1, 2].map(|byte| Fingerprint([byte; 32]));
        for _ in 0..10 {
            limiter.begin(one).await.map(Attempt::give_back).unwrap();
        }
        for _ in 0..3 {
            let _wrong = limiter.begin(one).await.unwrap();
        }
        assert!(limiter.begin(one).await.is_err());
        assert!(limiter.begin(other).await.is_ok());
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(limiter.begin(one).await.is_ok());
        assert!(limiter.begin(one).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn tries_at_once_are_all_counted_before_any_of_them_is_decided() {
        let limiter = AttemptLimiter::new(LIMIT, None);
        let key = Fingerprint([1; 32]);
        let mut running = Vec::new();
        while let Ok(attempt) = limiter.begin(key).await {
            running.push(attempt);
        }
        assert_eq!(running.len(), 3);
        running.pop().unwrap().give_back();
        assert!(limiter.begin(key).await.is_ok());
        assert!(limiter.begin(key).await.is_err());
    }
}
