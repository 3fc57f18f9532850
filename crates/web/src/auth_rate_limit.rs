//! Limits unknown keys by client address, with a budget for each kind of key, so that guessing keys cannot load cold or fill the caches.
//!
//! Never: a key of the platform refused because other clients at its address tried unknown ones. The mark of an issued key proves it before any store is
//! read; a key without a mark is remembered once it was found.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use voelgoed_app::accounts::secret::SecretKind;
use voelgoed_app::limits::attempt_limiter::{AttemptLimiter, LimitedAttempt};
use voelgoed_domain::refusal::Refusal;
use voelgoed_resilience::rate_limit::RateLimit;

use crate::rate_limit_refusal::rate_limit_refusal;

/// Keys without a mark that are remembered as found; a full set is cleared.
const FOUND_KEYS_MAX: usize = 100_000;
const TOO_MANY: &str = "Too many unknown keys from this address. Wait a moment.";

/// The budgets of failed authentications; each node has its own.
pub struct FailedAuthLimiter {
    api: AttemptLimiter<IpAddr>,
    device: AttemptLimiter<IpAddr>,
    login: AttemptLimiter<IpAddr>,
    operator: AttemptLimiter<IpAddr>,
    found: Mutex<HashSet<[u8; 32]>>,
}

impl FailedAuthLimiter {
    /// A budget per kind of key, of the size that `limit` gives for its name.
    #[must_use]
    pub fn new(limit: impl Fn(&'static str) -> RateLimit) -> Self {
        let budget = |name| AttemptLimiter::new(limit(name), None);
        Self {
            api: budget("key_guesses"),
            device: budget("device_key_guesses"),
            login: budget("login_cookie_guesses"),
            operator: budget("operator_key_guesses"),
            found: Mutex::default(),
        }
    }

    /// Counts a key that this node does not know. Give the attempt back unless no credential has the key.
    ///
    /// # Errors
    /// `rate_limited` where the budget of the address is used up.
    pub(crate) async fn begin(&self, kind: SecretKind, address: IpAddr) -> Result<LimitedAttempt<'_, IpAddr>, Refusal> {
        let budget = match kind {
            SecretKind::Api => &self.api,
            SecretKind::Device => &self.device,
            SecretKind::Login => &self.login,
        };
        budget.begin(address).await.map_err(|limited| rate_limit_refusal(limited, TOO_MANY))
    }

    /// Counts a wrong key of the operator.
    ///
    /// # Errors
    /// `rate_limited` where the budget of the address is used up.
    pub(crate) async fn wrong_operator_key(&self, address: IpAddr) -> Result<(), Refusal> {
        self.operator.begin(address).await.map(drop).map_err(|limited| rate_limit_refusal(limited, TOO_MANY))
    }

    /// Whether a key was found before, by its fingerprint; also after the caches dropped it.
    pub(crate) fn was_found(&self, key: [u8; 32]) -> bool {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).contains(&key)
    }

    pub(crate) fn remember_found(&self, key: [u8; 32]) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.len() >= FOUND_KEYS_MAX {
            found.clear();
        }
        found.insert(key);
    }
}
