//! How often somebody may do something: a named limit per key (session, address, API key), in this process.
//!
//! Never: more keys than its limit says (P9). Once they are used up, new keys share one allowance, so a flood of invented keys cannot buy
//! itself more and cannot lock out who is known. The arithmetic is governor's; keys and clock are ours.

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

use crate::episode::Episode;
use crate::retry_after::RetryAfter;

/// Keys are spread over so many locks where there may be many.
const SHARDS: usize = 16;

/// A named limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Its stable name, e.g. `holds_per_session`.
    pub name: &'static str,
    /// So many at once, and …
    pub burst: u32,
    /// … so long until all of them may be done again.
    pub per: Duration,
    /// Keys that are told apart.
    pub keys: usize,
}

/// Too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {} in {:?} (`{}`); try again in {retry_after}", limit.burst, limit.per, limit.name)]
pub struct RateLimited {
    /// The limit that was met.
    pub limit: RateLimit,
    /// When the next one fits.
    pub retry_after: RetryAfter,
}

/// The limiter of one named limit.
pub struct RateLimiter<K: Hash + Eq + Clone> {
    limit: RateLimit,
    governor: Governor<K, Keys<K>, VirtualClock, NoOpMiddleware<Duration>>,
    clock: VirtualClock,
    next_sweep: Mutex<Instant>,
    episode: Episode,
}

impl<K: Hash + Eq + Clone> RateLimiter<K> {
    /// A limiter that has seen nobody.
    #[must_use]
    pub fn new(limit: RateLimit) -> Self {
        let burst = NonZeroU32::new(limit.burst).unwrap_or(NonZeroU32::MIN);
        // Governor refuses a period of nothing; a nanosecond is as good.
        let each = (limit.per / burst.get()).max(Duration::from_nanos(1));
        let quota = Quota::with_period(each).unwrap_or(Quota::per_second(burst)).allow_burst(burst);
        let clock = VirtualClock(Instant::now());
        Self {
            limit,
            governor: Governor::new(quota, Keys::new(limit.keys), clock),
            clock,
            next_sweep: Mutex::new(Instant::now() + sweep_every(limit)),
            episode: Episode::new("rate_limit", limit.name),
        }
    }

    /// Counts one for `key`.
    ///
    /// # Errors
    /// [`RateLimited`] with the time until the next one fits; it is not counted then.
    pub fn check(&self, key: &K) -> Result<(), RateLimited> {
        self.sweep();
        let Err(not_until) = self.governor.check_key(key) else {
            self.episode.passed();
            return Ok(());
        };
        self.episode.refused();
        metrics::rate_limited(self.limit.name);
        let retry_after = not_until.wait_time_from(self.clock.now()).into();
        Err(RateLimited { limit: self.limit, retry_after })
    }

    /// Forgets, now and then, keys that have their whole allowance back.
    fn sweep(&self) {
        let Ok(mut next) = self.next_sweep.try_lock() else { return };
        let now = Instant::now();
        if now >= *next {
            *next = now + sweep_every(self.limit);
            drop(next);
            self.governor.retain_recent();
        }
    }
}

fn sweep_every(limit: RateLimit) -> Duration {
    limit.per.clamp(Duration::from_secs(1), Duration::from_secs(60))
}

/// Tokio's clock, so that tests pause it.
#[derive(Debug, Clone, Copy)]
struct VirtualClock(Instant);

impl Clock for VirtualClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Each key's state, and one state for all keys past the limit.
struct Keys<K> {
    shards: Vec<Mutex<Shard<K>>>,
    most_per_shard: usize,
    hasher: RandomState,
}

struct Shard<K> {
    known: HashMap<K, Nanos>,
    others: Option<Nanos>,
}

impl<K: Hash + Eq> Keys<K> {
    fn new(most: usize) -> Self {
        let shards = if most < SHARDS * SHARDS { 1 } else { SHARDS };
        let shard = || Mutex::new(Shard { known: HashMap::new(), others: None });
        Self {
            shards: (0..shards).map(|_| shard()).collect(),
            most_per_shard: most / shards,
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
            let (answer, after) = decide(Some(*state))?;
            *state = after;
            return Ok(answer);
        }
        let room = shard.known.len() < self.most_per_shard;
        let (answer, after) = decide(if room { None } else { shard.others })?;
        if room {
            shard.known.insert(key.clone(), after);
        } else {
            shard.others = Some(after);
        }
        Ok(answer)
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
