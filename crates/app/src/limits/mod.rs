//! How often somebody may write, counted over all nodes: this node's limiter first, then what the nodes share.
//!
//! Never: a round trip in front of what this node refuses by itself; open or closed where the shared count is away (each node then keeps its own limit).
//! To limit something: a [`RateLimit`] with a name, and a [`Limited`] key.

pub mod attempts;
pub mod ports;

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use voelgoed_domain::ids::{OrganizationId, SessionId};
use voelgoed_resilience::{RateLimited, RateLimiter};
use voelgoed_telemetry::metrics::resilience::{LimitAsk, limit_asked, rate_limited};

pub use voelgoed_resilience::{RateLimit, Spent, allowance};

use ports::{Allowances, Caller};

/// A node asks for this part of an allowance at a time, and lets a caller that is new to it begin with as much unasked. So within a span a caller
/// may do at most a twentieth more for each node, and who writes a few times costs no round trip.
const PART: u32 = 20;
/// After an unanswered question nobody is asked about for so long.
const PAUSE: Duration = Duration::from_secs(1);

/// A key that the nodes can tell each other.
pub trait Limited: Hash + Eq + Clone + Send + Sync {
    /// Whose allowance it is.
    fn caller(&self) -> Caller;
}

impl Limited for SessionId {
    fn caller(&self) -> Caller {
        Caller { organization: None, name: self.to_string() }
    }
}

impl Limited for OrganizationId {
    fn caller(&self) -> Caller {
        Caller { organization: Some(*self), name: self.to_string() }
    }
}

impl Limited for IpAddr {
    fn caller(&self) -> Caller {
        Caller { organization: None, name: self.to_string() }
    }
}

/// The limiter of one named limit.
pub struct Limiter<K: Limited> {
    limit: RateLimit,
    here: RateLimiter<K>,
    /// None where there is no other node.
    shared: Option<Arc<dyn Allowances>>,
    known: Mutex<Known<K>>,
}

struct Known<K> {
    callers: HashMap<K, Met>,
    next_sweep: Instant,
    ask_from: Instant,
}

/// A caller that this node has seen.
struct Met {
    lease: Arc<Lease>,
    used: Instant,
}

/// What this node may let a caller do.
struct Lease {
    /// So much without asking.
    left: AtomicU32,
    /// Held by who asks, so that a crowd of one caller asks once; until when the last answer refuses it.
    asking: tokio::sync::Mutex<Option<Instant>>,
}

impl Lease {
    fn take_one(&self) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }
}

impl<K: Limited> Limiter<K> {
    /// A limiter that has seen nobody; `shared` is what the nodes count in common, where there can be others.
    #[must_use]
    pub fn new(limit: RateLimit, shared: Option<Arc<dyn Allowances>>) -> Self {
        let now = Instant::now();
        let known = Known { callers: HashMap::new(), next_sweep: now + limit.per, ask_from: now };
        Self { limit, here: RateLimiter::new(limit), shared, known: Mutex::new(known) }
    }

    /// Counts one for `key`, here and then among all nodes.
    ///
    /// # Errors
    /// [`RateLimited`] with the time until the next one fits.
    pub async fn check(&self, key: &K) -> Result<(), RateLimited> {
        self.check_here(key)?;
        self.check_shared(key).await
    }

    /// Counts one on this node alone. Whoever checks several limits does this for all of them first.
    ///
    /// # Errors
    /// [`RateLimited`]
    pub fn check_here(&self, key: &K) -> Result<(), RateLimited> {
        self.here.check(key)
    }

    /// Counts one among all nodes: mostly from what this node was given before.
    ///
    /// # Errors
    /// [`RateLimited`]
    pub async fn check_shared(&self, key: &K) -> Result<(), RateLimited> {
        let Some(shared) = &self.shared else { return Ok(()) };
        let Some(lease) = self.lease(key) else {
            // No room to remember the caller: the store does.
            return match self.ask(&**shared, key, 1).await {
                Some(Spent::None(wait)) => Err(self.refused(wait)),
                Some(Spent::Some(_)) | None => Ok(()),
            };
        };
        if lease.take_one() {
            return Ok(());
        }
        let mut refused_until = lease.asking.lock().await;
        // Who was waited for may have been given enough for more than itself.
        if lease.take_one() {
            return Ok(());
        }
        let now = Instant::now();
        if let Some(until) = refused_until.filter(|until| *until > now) {
            return Err(self.refused(until - now));
        }
        match self.ask(&**shared, key, self.part()).await {
            Some(Spent::Some(given)) => {
                lease.left.fetch_add(given.saturating_sub(1), Ordering::Relaxed);
            }
            Some(Spent::None(wait)) => {
                *refused_until = Some(Instant::now() + wait);
                return Err(self.refused(wait));
            }
            None => {}
        }
        Ok(())
    }

    /// None where the shared count is away: this node's own limit has been kept already.
    async fn ask(&self, shared: &dyn Allowances, key: &K, most: u32) -> Option<Spent> {
        if Instant::now() < self.known().ask_from {
            return None;
        }
        let answer = shared.spend(self.limit, &key.caller(), most).await;
        limit_asked(
            self.limit.name,
            match &answer {
                Ok(Spent::Some(_)) => LimitAsk::Given,
                Ok(Spent::None(_)) => LimitAsk::Refused,
                Err(_) => LimitAsk::Away,
            },
        );
        answer
            .inspect_err(|fault| {
                tracing::warn!(%fault, limit = self.limit.name, "the nodes' common count is away, this node keeps its own limit");
                self.known().ask_from = Instant::now() + PAUSE;
            })
            .ok()
    }

    fn refused(&self, wait: Duration) -> RateLimited {
        rate_limited(self.limit.name);
        RateLimited { limit: self.limit, retry_after: wait.into() }
    }

    fn part(&self) -> u32 {
        (self.limit.burst / PART).max(1)
    }

    fn known(&self) -> MutexGuard<'_, Known<K>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lease(&self, key: &K) -> Option<Arc<Lease>> {
        let now = Instant::now();
        let mut known = self.known();
        if now >= known.next_sweep {
            known.next_sweep = now + self.limit.per.max(PAUSE);
            // Who did nothing for the whole span has the whole allowance back, everywhere. A lease that is in use is not idle.
            let busy = |met: &Met| Arc::strong_count(&met.lease) > 1 || now.duration_since(met.used) < self.limit.per;
            known.callers.retain(|_, met| busy(met));
        }
        if let Some(met) = known.callers.get_mut(key) {
            met.used = now;
            return Some(Arc::clone(&met.lease));
        }
        if known.callers.len() >= self.limit.keys {
            return None;
        }
        // What is given once, at the first sight, is part of the allowance only where nothing depends on the exact number.
        let left = if self.limit.burst >= PART * 2 { self.part() } else { 0 };
        let lease = Arc::new(Lease { left: left.into(), asking: tokio::sync::Mutex::default() });
        known.callers.insert(key.clone(), Met { lease: Arc::clone(&lease), used: now });
        Some(lease)
    }
}

#[cfg(test)]
mod tests;
