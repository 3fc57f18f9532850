//! How often somebody may write, counted over all nodes: this node's limiter first, then what the nodes share.
//!
//! Never: a round trip in front of what this node refuses by itself; open or closed where the shared count is away (each node then keeps its own limit).
//! To limit something: a [`RateLimit`] with a name, and a [`Limited`] key.

pub mod ports;

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use voelgoed_domain::ids::SessionId;
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

impl Limited for IpAddr {
    fn caller(&self) -> Caller {
        Caller { organization: None, name: self.to_string() }
    }
}

/// The limiter of one named limit.
pub struct Limiter<K: Limited> {
    limit: RateLimit,
    here: RateLimiter<K>,
    shared: Arc<dyn Allowances>,
    known: Mutex<Known<K>>,
}

struct Known<K> {
    leases: HashMap<K, Arc<Lease>>,
    next_sweep: Instant,
    ask_from: Instant,
}

/// What this node may let a caller do without asking. Locked while it is asked for, so that a crowd of one caller asks once.
struct Lease(tokio::sync::Mutex<Left>);

struct Left {
    left: u32,
    used: Instant,
    refused_until: Option<Instant>,
}

impl<K: Limited> Limiter<K> {
    /// A limiter that has seen nobody.
    #[must_use]
    pub fn new(limit: RateLimit, shared: Arc<dyn Allowances>) -> Self {
        let now = Instant::now();
        let known = Known { leases: HashMap::new(), next_sweep: now + limit.per, ask_from: now };
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
        let Some(lease) = self.lease(key) else {
            // No room to remember the caller: the store does.
            return match self.ask(key, 1).await {
                Some(Spent::None(wait)) => Err(self.refused(wait)),
                Some(Spent::Some(_)) | None => Ok(()),
            };
        };
        let mut lease = lease.0.lock().await;
        let now = Instant::now();
        lease.used = now;
        if lease.left > 0 {
            lease.left -= 1;
            return Ok(());
        }
        if let Some(until) = lease.refused_until.filter(|until| *until > now) {
            return Err(self.refused(until - now));
        }
        match self.ask(key, self.part()).await {
            Some(Spent::Some(given)) => lease.left = given.saturating_sub(1),
            Some(Spent::None(wait)) => {
                lease.refused_until = Some(Instant::now() + wait);
                return Err(self.refused(wait));
            }
            None => {}
        }
        Ok(())
    }

    /// None where the shared count is away: this node's own limit has been kept already.
    async fn ask(&self, key: &K, most: u32) -> Option<Spent> {
        if Instant::now() < self.known().ask_from {
            return None;
        }
        let answer = self.shared.spend(self.limit, &key.caller(), most).await;
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
            let idle = |left: &Left| now.duration_since(left.used) >= self.limit.per;
            known.leases.retain(|_, lease| lease.0.try_lock().is_ok_and(|left| !idle(&left)));
        }
        if let Some(lease) = known.leases.get(key) {
            return Some(Arc::clone(lease));
        }
        if known.leases.len() >= self.limit.keys {
            return None;
        }
        // What is given once, at the first sight, is part of the allowance only where nothing depends on the exact number.
        let left = if self.limit.burst >= PART * 2 { self.part() } else { 0 };
        let left = Left { left, used: now, refused_until: None };
        let lease = Arc::new(Lease(tokio::sync::Mutex::new(left)));
        known.leases.insert(key.clone(), Arc::clone(&lease));
        Some(lease)
    }
}

#[cfg(test)]
mod tests;
