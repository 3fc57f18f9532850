//! Limits how often each key (session, address, API key) may act, by named limits in this process.
//!
//! Never: more keys than `keys_max` (P9). A full shard gives all of its new keys one shared allowance, so a flood of invented keys gets one allowance, and
//! known keys keep theirs. The algorithm is governor's; the key store and the clock are ours.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;
use governor::{Quota, RateLimiter as Governor};
use tokio::time::Instant;
use voelgoed_telemetry::metrics::resilience as metrics;

use crate::outage_log::OutageLog;
use crate::retry_after::RetryAfter;

/// Locks over which the keys of a large limiter are spread.
const SHARDS: usize = 16;

/// A named limit of actions per key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// The stable name in metrics, logs and errors, e.g. `holds_per_session`.
    pub name: &'static str,
    /// Actions at once.
    pub burst: u32,
    /// The time after which the whole burst is available again.
    pub per: Duration,
    /// Keys with an allowance of their own.
    pub keys_max: usize,
}

/// The key has used up its allowance; nothing was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {} in {:?} (`{}`); try again in {retry_after}", limit.burst, limit.per, limit.name)]
pub struct RateLimited {
    /// The limit that was reached.
    pub limit: RateLimit,
    /// When the next action is allowed.
    pub retry_after: RetryAfter,
}

/// The limiter of one named limit.
pub struct RateLimiter<K: Hash + Eq + Clone> {
    limit: RateLimit,
    governor: Governor<K, Keys<K>, VirtualClock, NoOpMiddleware<Duration>>,
    clock: VirtualClock,
    next_sweep: Mutex<Instant>,
    outages: OutageLog,
}

impl<K: Hash + Eq + Clone> RateLimiter<K> {
    /// A limiter without known keys.
    #[must_use]
    pub fn new(limit: RateLimit) -> Self {
        let burst = NonZeroU32::new(limit.burst).unwrap_or(NonZeroU32::MIN);
        // Governor rejects a period of zero; a nanosecond is equivalent.
        let each = (limit.per / burst.get()).max(Duration::from_nanos(1));
        let quota = Quota::with_period(each).unwrap_or(Quota::per_second(burst)).allow_burst(burst);
        let clock = VirtualClock(Instant::now());
        Self {
            limit,
            governor: Governor::new(quota, Keys::new(limit.keys_max), clock),
            clock,
            next_sweep: Mutex::new(Instant::now() + sweep_interval(limit)),
            outages: OutageLog::new("rate_limit", limit.name),
        }
    }

    /// Counts one action of `key`.
    ///
    /// # Errors
    /// [`RateLimited`] with the time until the next action is allowed; a refused action is not counted.
    pub fn check(&self, key: &K) -> Result<(), RateLimited> {
        self.sweep();
        let Err(not_until) = self.governor.check_key(key) else {
            self.outages.passed();
            return Ok(());
        };
        self.outages.refused();
        metrics::rate_limited(self.limit.name);
        let retry_after = not_until.wait_time_from(self.clock.now()).into();
        Err(RateLimited { limit: self.limit, retry_after })
    }

    /// Removes keys whose allowance is full again, once per [`sweep_interval`].
    fn sweep(&self) {
        let Ok(mut next) = self.next_sweep.try_lock() else { return };
        let now = Instant::now();
        if now >= *next {
            *next = now + sweep_interval(self.limit);
            drop(next);
            self.governor.retain_recent();
        }
    }
}

fn sweep_interval(limit: RateLimit) -> Duration {
    limit.per.clamp(Duration::from_secs(1), Duration::from_secs(60))
}

/// Tokio's clock, so that tests can pause it.
#[derive(Debug, Clone, Copy)]
struct VirtualClock(Instant);

impl Clock for VirtualClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The state of each known key, and one state for all keys beyond the limit.
struct Keys<K> {
    shards: Vec<Mutex<Shard<K>>>,
    keys_per_shard_max: usize,
    hasher: RandomState,
}

struct Shard<K> {
    known: HashMap<K, Nanos>,
    overflow: Option<Nanos>,
}

impl<K: Hash + Eq> Keys<K> {
    fn new(keys_max: usize) -> Self {
        let shards = if keys_max < SHARDS * SHARDS { 1 } else { SHARDS };
        let shard = || Mutex::new(Shard { known: HashMap::new(), overflow: None });
        Self {
            shards: (0..shards).map(|_| shard()).collect(),
            keys_per_shard_max: keys_max / shards,
            hasher: RandomState::new(),
        }
    }

    fn shard(&self, key: &K) -> MutexGuard<'_, Shard<K>> {
        let hash = usize::try_from(self.hasher.hash_one(key) >> 32).unwrap_or(0);
        self.shards[hash % self.shards.len()].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq + Clone> StateStore for Keys<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut shard = self.shard(key);
        if let Some(state) = shard.known.get_mut(key) {
            let (decision, after) = decide(Some(*state))?;
            *state = after;
            return Ok(decision);
        }
        let has_room = shard.known.len() < self.keys_per_shard_max;
        let (decision, after) = decide(if has_room { None } else { shard.overflow })?;
        if has_room {
            shard.known.insert(key.clone(), after);
        } else {
            shard.overflow = Some(after);
        }
        Ok(decision)
    }
}

impl<K: Hash + Eq + Clone> ShrinkableKeyedStateStore<K> for Keys<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.known.retain(|_, state| *state > drop_below);
        }
    }

    fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).known.len()).sum()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests;
