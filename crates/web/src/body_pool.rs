//! Bounds the bytes of request bodies in memory by one pool; seating plans have a part of the pool, and the plans of one address a part of that.
//!
//! Plans cannot fill the whole pool, so that bodies of holds, orders and scans are read while organizers upload plans.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use voelgoed_domain::refusal::{Code, LimitHit, Refusal};

use crate::body_size_limit::BodySizeLimit;

/// `Retry-After` of a client that finds no room.
pub const RETRY_SECONDS: u32 = 2;
/// Plans have the pool divided by this.
const PLAN_PARTS: usize = 2;
/// The plans of one address have the part of all plans divided by this.
const ADDRESS_PARTS: usize = 2;

/// The sizes of the pool and its parts, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolLimits {
    /// Of all bodies.
    pub all: usize,
    /// Of all seating plans.
    pub plans: usize,
    /// Of the seating plans of one address.
    pub plans_per_address: usize,
}

impl PoolLimits {
    /// A pool of `all` bytes, in which one plan of `plan_bytes_max` always fits.
    #[must_use]
    pub fn new(all: usize, plan_bytes_max: usize) -> Self {
        let all = all.min(Semaphore::MAX_PERMITS);
        let plans = (all / PLAN_PARTS).max(plan_bytes_max).min(all);
        Self { all, plans, plans_per_address: (plans / ADDRESS_PARTS).max(plan_bytes_max).min(plans) }
    }
}

/// The pool of bytes.
#[derive(Debug)]
pub struct BodyPool {
    limits: PoolLimits,
    all: Arc<Semaphore>,
    plans: Arc<Semaphore>,
    by_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// The bytes that a body has of the pool; given back on drop.
#[derive(Debug, Default)]
pub struct PooledBytes {
    all: Option<OwnedSemaphorePermit>,
    plans: Option<OwnedSemaphorePermit>,
    by_address: Option<AddressBytes>,
}

/// The bytes that a plan has of its address's part; given back on drop.
#[derive(Debug)]
struct AddressBytes {
    address: IpAddr,
    bytes: usize,
    by_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl BodyPool {
    /// An empty pool.
    #[must_use]
    pub fn new(limits: PoolLimits) -> Self {
        let pool = |bytes| Arc::new(Semaphore::new(bytes));
        Self { limits, all: pool(limits.all), plans: pool(limits.plans), by_address: Arc::default() }
    }

    /// Takes `bytes` more for a body.
    ///
    /// # Errors
    /// `rate_limited` where the part of the address is used up, `overloaded` where the pool or the part of the plans is.
    pub fn add(
        &self,
        held: &mut PooledBytes,
        bytes: usize,
        limit: BodySizeLimit,
        address: IpAddr,
    ) -> Result<(), Refusal> {
        if limit.is_layout {
            let by_address = self.of_address(address, bytes)?;
            let plans = take(&self.plans, bytes).ok_or_else(|| full("plan_bytes_max", self.limits.plans))?;
            match &mut held.by_address {
                Some(held) => held.merge(by_address),
                None => held.by_address = Some(by_address),
            }
            merge(&mut held.plans, plans);
        }
        let all = take(&self.all, bytes).ok_or_else(|| full("body_bytes_max", self.limits.all))?;
        merge(&mut held.all, all);
        Ok(())
    }

    fn of_address(&self, address: IpAddr, bytes: usize) -> Result<AddressBytes, Refusal> {
        let bytes_max = self.limits.plans_per_address;
        let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        let before = by_address.get(&address).copied().unwrap_or_default();
        let after = before.saturating_add(bytes);
        if after > bytes_max {
            let detail = "Too many seating plans are being sent from this address. Wait a moment.";
            return Err(limited(Code::RateLimited, detail, "plan_bytes_per_address_max", bytes_max));
        }
        by_address.insert(address, after);
        Ok(AddressBytes { address, bytes, by_address: Arc::clone(&self.by_address) })
    }

    /// Bytes that are free in the pool, in the plans' part of it, and addresses that have plans in it.
    #[cfg(test)]
    pub fn free(&self) -> (usize, usize, usize) {
        let addresses = self.by_address.lock().unwrap_or_else(PoisonError::into_inner).len();
        (self.all.available_permits(), self.plans.available_permits(), addresses)
    }
}

impl AddressBytes {
    fn merge(&mut self, mut more: Self) {
        self.bytes += std::mem::take(&mut more.bytes);
    }
}

impl Drop for AddressBytes {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        match by_address.get_mut(&self.address) {
            Some(bytes) if *bytes > self.bytes => *bytes -= self.bytes,
            _ => {
                by_address.remove(&self.address);
            }
        }
    }
}

fn take(pool: &Arc<Semaphore>, bytes: usize) -> Option<OwnedSemaphorePermit> {
    let permits = u32::try_from(bytes).ok()?;
    Arc::clone(pool).try_acquire_many_owned(permits).ok()
}

fn merge(held: &mut Option<OwnedSemaphorePermit>, more: OwnedSemaphorePermit) {
    match held {
        Some(held) => held.merge(more),
        None => *held = Some(more),
    }
}

fn full(name: &'static str, bytes_max: usize) -> Refusal {
    limited(Code::Overloaded, "Too much is being sent to this node right now. Try again in a moment.", name, bytes_max)
}

fn limited(code: Code, detail: &str, name: &'static str, bytes_max: usize) -> Refusal {
    Refusal::new(code, detail).with(|evidence| {
        evidence.limit = Some(LimitHit { name, most: bytes_max as u64 });
        evidence.retry_after = Some(RETRY_SECONDS);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const PLAN: BodySizeLimit = BodySizeLimit { name: "largest_layout", bytes_max: 64, is_layout: true };

    #[test]
    fn one_plan_always_fits_and_plans_never_have_the_whole_pool_where_two_fit() {
        for (all, plan_bytes_max, plans, plans_per_address) in [
            (256, 64, 128, 64),
            (256, 20, 128, 64),
            (256, 100, 128, 100),
            (256, 200, 200, 200),
            (100, 200, 100, 100),
            (0, 0, 0, 0),
        ] {
            assert_eq!(PoolLimits::new(all, plan_bytes_max), PoolLimits { all, plans, plans_per_address });
        }
    }

    #[test]
    fn refused_part_of_a_plan_leaves_all_counts_unchanged() {
        let pool = BodyPool::new(PoolLimits { all: 100, plans: 50, plans_per_address: 60 });
        let mut held = PooledBytes::default();
        pool.add(&mut held, 50, PLAN, HERE).unwrap();
        let refused = pool.add(&mut held, 1, PLAN, HERE).unwrap_err();
        assert_eq!(refused.evidence.limit, Some(LimitHit { name: "plan_bytes_max", most: 50 }));
        assert_eq!(pool.by_address.lock().unwrap().get(&HERE), Some(&50));
        drop(held);
        assert_eq!(pool.free(), (100, 50, 0));
    }
}
