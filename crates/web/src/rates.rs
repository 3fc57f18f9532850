//! What is counted against an address beside its writes: holds, since sessions cost nothing to make, and guesses of keys.
//!
//! Never: a key that this node knows held up by what others of its address do; a gate and its visitors may share one. A key that nobody has costs its
//! address a guess; an address that has none left is told so before any store is asked, so that guesses load neither cold nor the caches.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;
use voelgoed_domain::refusal::{Code, LimitHit, Refusal};
use voelgoed_resilience::rate_limit::{RateLimit, RateLimited, RateLimiter};

use crate::extract::Buyer;
use crate::state::Web;

/// Addresses that are remembered as having no guess left.
const SPENT_KEPT: usize = 10_000;

/// Guesses of keys, by address.
pub struct Guesses {
    limiter: RateLimiter<IpAddr>,
    spent: Mutex<HashMap<IpAddr, (Instant, RateLimited)>>,
}

impl Guesses {
    /// Nobody has guessed yet.
    #[must_use]
    pub fn new(limit: RateLimit) -> Self {
        Self { limiter: RateLimiter::new(limit), spent: Mutex::default() }
    }

    /// Whether an unknown key of this address may be looked up.
    ///
    /// # Errors
    /// `rate_limited` with the limit and the time to wait.
    pub fn may_ask(&self, address: IpAddr) -> Result<(), Refusal> {
        let spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        match spent.get(&address) {
            Some((until, limited)) if Instant::now() < *until => {
                Err(refusal(*limited, "Too many unknown keys. Wait a moment."))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The address has presented a key that nobody has.
    pub fn count(&self, address: IpAddr) {
        let Err(limited) = self.limiter.check(&address) else { return };
        let now = Instant::now();
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.len() >= SPENT_KEPT {
            spent.retain(|_, (until, _)| now < *until);
        }
        if spent.len() < SPENT_KEPT {
            let wait = std::time::Duration::from_secs(u64::from(limited.retry_after.as_seconds()));
            spent.insert(address, (now + wait, limited));
        }
    }
}

/// Counts a hold against its buyer's address.
///
/// # Errors
/// `rate_limited` with the limit and the time to wait.
pub async fn hold(web: &Web, buyer: &Buyer) -> Result<(), Refusal> {
    let counted = web.hold_limiter.check(&buyer.address).await;
    counted.map_err(|limited| refusal(limited, "Too many holds from this address. Wait a moment."))
}

/// Counts a read of what anybody may see against its address.
///
/// # Errors
/// `rate_limited` with the limit and the time to wait.
pub fn read(web: &Web, address: &IpAddr) -> Result<(), Refusal> {
    web.read_limiter
        .check(address)
        .map_err(|limited| refusal(limited, "Too many requests from this address. Wait a moment."))
}

fn refusal(limited: RateLimited, detail: &str) -> Refusal {
    let limit = LimitHit { name: limited.limit.name, most: u64::from(limited.limit.burst) };
    Refusal::new(Code::RateLimited, detail).with(|evidence| {
        evidence.limit = Some(limit);
        evidence.retry_after = Some(limited.retry_after.as_seconds());
    })
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_address_that_has_guessed_too_often_waits_and_no_other_one() {
        let guesses =
            Guesses::new(RateLimit { name: "key_guesses", burst: 3, per: Duration::from_secs(30), keys: 100 });
        let [one, other] = [1, 2].map(|last| IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)));
        for _ in 0..3 {
            guesses.count(one);
            assert!(guesses.may_ask(one).is_ok());
        }
        guesses.count(one);
        let refusal = guesses.may_ask(one).unwrap_err();
        assert_eq!(refusal.evidence.limit, Some(LimitHit { name: "key_guesses", most: 3 }));
        assert!(guesses.may_ask(other).is_ok());
        tokio::time::advance(Duration::from_secs(u64::from(refusal.evidence.retry_after.unwrap()))).await;
        assert!(guesses.may_ask(one).is_ok());
    }
}
