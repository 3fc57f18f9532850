//! Limits the rate of requests over all nodes: checks this node's own limiter first, then spends a local lease of the allowance that the nodes share.
//!
//! While the shared count is unavailable, each node keeps its own limit. Never: a round trip for a request that this node refuses by itself.
//! To add a limit: a [`RateLimit`] with a name, and a [`LimitKey`].

pub mod attempt_limiter;
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
use voelgoed_telemetry::metrics::resilience::{LimitAnswer, limit_checked, rate_limited};

pub use voelgoed_resilience::{RateLimit, SpendOutcome, allowance};

use ports::{Allowances, Caller};

/// A node leases one of this many parts of an allowance at a time, and grants one part to a caller that is new to the node without a round trip.
/// Consequences: a caller may exceed its limit by a twentieth per node, and a caller with few requests costs no round trip.
const PARTS_PER_ALLOWANCE: u32 = 20;
/// After a failed call to the shared count, this node does not call it again for this long.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// The key of a limit, which has the same name on every node.
pub trait LimitKey: Hash + Eq + Clone + Send + Sync {
    /// The caller whose allowance is spent.
    fn caller(&self) -> Caller;
}

impl LimitKey for SessionId {
    fn caller(&self) -> Caller {
        Caller { organization: None, name: self.to_string() }
    }
}

impl LimitKey for OrganizationId {
    fn caller(&self) -> Caller {
        Caller { organization: Some(*self), name: self.to_string() }
    }
}

impl LimitKey for IpAddr {
    fn caller(&self) -> Caller {
        Caller { organization: None, name: self.to_string() }
    }
}

/// The limiter of one named limit.
pub struct Limiter<K: LimitKey> {
    limit: RateLimit,
    local: RateLimiter<K>,
    /// None if this is the only node.
    shared: Option<Arc<dyn Allowances>>,
    known: Mutex<KnownCallers<K>>,
}

struct KnownCallers<K> {
    leases: HashMap<K, CachedLease>,
    next_sweep: Instant,
    /// The shared count is not called before this time.
    retry_at: Instant,
}

struct CachedLease {
    lease: Arc<Lease>,
    used: Instant,
}

/// The part of a caller's allowance that this node may grant.
struct Lease {
    /// Requests that this node may grant without a call to the shared count.
    left: AtomicU32,
    /// Locked during a call to the shared count, so that concurrent requests of one caller make one call. Contains the time until which the last call refused.
    refused_until: tokio::sync::Mutex<Option<Instant>>,
}

impl Lease {
    fn take_one(&self) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }
}

impl<K: LimitKey> Limiter<K> {
    /// A limiter without callers; `shared` counts for all nodes, if there can be others.
    #[must_use]
    pub fn new(limit: RateLimit, shared: Option<Arc<dyn Allowances>>) -> Self {
        let now = Instant::now();
        let known = KnownCallers { leases: HashMap::new(), next_sweep: now + limit.per, retry_at: now };
        Self { limit, local: RateLimiter::new(limit), shared, known: Mutex::new(known) }
    }

    /// Counts a request of `key`, on this node and then over all nodes.
    ///
    /// # Errors
    /// [`RateLimited`] with the time until the next request is allowed.
    pub async fn check(&self, key: &K) -> Result<(), RateLimited> {
        self.check_local(key)?;
        self.check_shared(key).await
    }

    /// Counts a request on this node alone. A caller that checks several limits checks all of them locally first.
    ///
    /// # Errors
    /// [`RateLimited`]
    pub fn check_local(&self, key: &K) -> Result<(), RateLimited> {
        self.local.check(key)
    }

    /// Counts a request over all nodes, usually from this node's lease.
    ///
    /// # Errors
    /// [`RateLimited`]
    pub async fn check_shared(&self, key: &K) -> Result<(), RateLimited> {
        let Some(shared) = &self.shared else { return Ok(()) };
        let Some(lease) = self.lease(key) else {
            // This node caches no more callers, so each request goes to the shared count.
            return match self.spend(&**shared, key, 1).await {
                Some(SpendOutcome::Exhausted(wait)) => Err(self.refused(wait)),
                Some(SpendOutcome::Granted(_)) | None => Ok(()),
            };
        };
        if lease.take_one() {
            return Ok(());
        }
        let mut refused_until = lease.refused_until.lock().await;
        // The task that held the lock may have leased enough for this request too.
        if lease.take_one() {
            return Ok(());
        }
        let now = Instant::now();
        if let Some(until) = refused_until.filter(|until| *until > now) {
            return Err(self.refused(until - now));
        }
        match self.spend(&**shared, key, self.part()).await {
            Some(SpendOutcome::Granted(given)) => {
                lease.left.fetch_add(given.saturating_sub(1), Ordering::Relaxed);
            }
            Some(SpendOutcome::Exhausted(wait)) => {
                *refused_until = Some(Instant::now() + wait);
                return Err(self.refused(wait));
            }
            None => {}
        }
        Ok(())
    }

    /// None if the shared count is unavailable; this node's own limit has been checked already.
    async fn spend(&self, shared: &dyn Allowances, key: &K, wanted: u32) -> Option<SpendOutcome> {
        if Instant::now() < self.known().retry_at {
            return None;
        }
        let answer = shared.spend(self.limit, &key.caller(), wanted).await;
        limit_checked(
            self.limit.name,
            match &answer {
                Ok(SpendOutcome::Granted(_)) => LimitAnswer::Given,
                Ok(SpendOutcome::Exhausted(_)) => LimitAnswer::Refused,
                Err(_) => LimitAnswer::Unavailable,
            },
        );
        answer
            .inspect_err(|fault| {
                tracing::warn!(%fault, limit = self.limit.name, "the shared count is unavailable; this node keeps its own limit");
                self.known().retry_at = Instant::now() + RETRY_DELAY;
            })
            .ok()
    }

    fn refused(&self, wait: Duration) -> RateLimited {
        rate_limited(self.limit.name);
        RateLimited { limit: self.limit, retry_after: wait.into() }
    }

    fn part(&self) -> u32 {
        (self.limit.burst / PARTS_PER_ALLOWANCE).max(1)
    }

    fn known(&self) -> MutexGuard<'_, KnownCallers<K>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lease(&self, key: &K) -> Option<Arc<Lease>> {
        let now = Instant::now();
        let mut known = self.known();
        if now >= known.next_sweep {
            known.next_sweep = now + self.limit.per.max(RETRY_DELAY);
            // The allowance of a caller that was idle for the whole period is full again. A lease that a task holds is not idle.
            let is_busy = |cached: &CachedLease| {
                Arc::strong_count(&cached.lease) > 1 || now.duration_since(cached.used) < self.limit.per
            };
            known.leases.retain(|_, cached| is_busy(cached));
        }
        if let Some(cached) = known.leases.get_mut(key) {
            cached.used = now;
            return Some(Arc::clone(&cached.lease));
        }
        if known.leases.len() >= self.limit.keys_max {
            return None;
        }
        // A small limit must be exact, so a new caller gets no part without a call.
        let left = if self.limit.burst >= PARTS_PER_ALLOWANCE * 2 { self.part() } else { 0 };
        let lease = Arc::new(Lease { left: left.into(), refused_until: tokio::sync::Mutex::default() });
        known.leases.insert(key.clone(), CachedLease { lease: Arc::clone(&lease), used: now });
        Some(lease)
    }
}

#[cfg(test)]
mod tests;
