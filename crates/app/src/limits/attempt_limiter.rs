//! Limits wrong attempts at a secret: counts every attempt before the secret is checked and refunds it if the secret was right.
//!
//! Never: a secret checked before its attempt is counted, so that concurrent attempts cannot pass the limit. Refunds stay on this node.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use voelgoed_resilience::{RateLimit, RateLimited};

use super::ports::{Allowances, Caller};
use super::{LimitKey, Limiter};

/// Keys that have refunded attempts.
const RETURNED_KEYS_MAX: usize = 10_000;

/// Limits wrong attempts by key.
pub struct AttemptLimiter<K: LimitKey> {
    limiter: Limiter<K>,
    burst: u32,
    returned: Mutex<HashMap<K, u32>>,
}

/// A counted attempt.
#[must_use = "an attempt with the right secret is refunded"]
pub struct LimitedAttempt<'a, K: LimitKey> {
    limiter: &'a AttemptLimiter<K>,
    key: K,
}

impl<K: LimitKey> AttemptLimiter<K> {
    /// A limiter without attempts; `shared` counts for all nodes.
    #[must_use]
    pub fn new(limit: RateLimit, shared: Option<Arc<dyn Allowances>>) -> Self {
        Self { limiter: Limiter::new(limit, shared), burst: limit.burst, returned: Mutex::default() }
    }

    /// Counts an attempt.
    ///
    /// # Errors
    /// [`RateLimited`] with the time until the next attempt; the secret must not be checked then.
    pub async fn begin(&self, key: K) -> Result<LimitedAttempt<'_, K>, RateLimited> {
        if !self.take_returned(&key) {
            self.limiter.check(&key).await?;
        }
        Ok(LimitedAttempt { limiter: self, key })
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

impl<K: LimitKey> LimitedAttempt<'_, K> {
    /// Refunds the attempt: the secret was right, or was not checked.
    pub fn give_back(self) {
        let mut returned = self.limiter.returned();
        if returned.len() >= RETURNED_KEYS_MAX {
            // A caller that loses a refund has one attempt fewer until its allowance refills.
            returned.clear();
        }
        // Capped at the burst, so that refunds cannot be saved up to pass the limit later.
        let attempts = returned.entry(self.key).or_default();
        *attempts = (*attempts + 1).min(self.limiter.burst);
    }
}

/// A key that is stored as its SHA-256, such as an account's e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl LimitKey for Fingerprint {
    fn caller(&self) -> Caller {
        let name = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        Caller { organization: None, name }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LIMIT: RateLimit = RateLimit { name: "test", burst: 3, per: Duration::from_secs(30), keys_max: 100 };

    #[tokio::test(start_paused = true)]
    async fn wrong_attempts_are_counted_and_right_ones_are_refunded() {
        let limiter = AttemptLimiter::new(LIMIT, None);
        let [one, other] = [1, 2].map(|byte| Fingerprint([byte; 32]));
        for _ in 0..10 {
            limiter.begin(one).await.map(LimitedAttempt::give_back).unwrap();
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
    async fn concurrent_attempts_are_counted_before_any_of_them_ends() {
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
