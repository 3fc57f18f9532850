//! Limits wrong keys by client address, with a budget for each kind of key, so that guesses load neither cold nor the caches.
//!
//! Never: a key of the platform refused because others at its address guessed. Its mark proves it before a store is asked
//! ([`is_issued`]); one of before the mark is remembered once it was found, whatever becomes of the caches.

use std::collections::HashSet;
use std::future::Future;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use voelgoed_app::accounts::secret::{SecretKind, is_issued};
use voelgoed_app::limits::attempts::AttemptLimiter;
use voelgoed_app::token::fingerprint;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_resilience::rate_limit::RateLimit;

use crate::problem::Failure;
use crate::rates::refusal;
use crate::state::Web;

/// Keys without a mark that are remembered as found.
const FOUND_KEYS_MAX: usize = 100_000;

/// The budgets of wrong keys.
pub struct KeyGuesses {
    api: AttemptLimiter<IpAddr>,
    device: AttemptLimiter<IpAddr>,
    login: AttemptLimiter<IpAddr>,
    operator: AttemptLimiter<IpAddr>,
    found: Mutex<HashSet<[u8; 32]>>,
}

impl KeyGuesses {
    /// Budgets by name; this node's own.
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

    const fn of(&self, kind: SecretKind) -> &AttemptLimiter<IpAddr> {
        match kind {
            SecretKind::Api => &self.api,
            SecretKind::Device => &self.device,
            SecretKind::Login => &self.login,
        }
    }

    fn was_found(&self, secret: [u8; 32]) -> bool {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).contains(&secret)
    }

    fn remember(&self, secret: [u8; 32]) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.len() >= FOUND_KEYS_MAX {
            found.clear();
        }
        found.insert(secret);
    }

    /// Counts a wrong key of the operator.
    ///
    /// # Errors
    /// `rate_limited` where the address has no guess left.
    pub async fn wrong_operator_key(&self, address: IpAddr) -> Result<(), Refusal> {
        self.operator.begin(address).await.map(drop).map_err(|limited| refusal(limited, TOO_MANY))
    }
}

const TOO_MANY: &str = "Too many unknown keys from this address. Wait a moment.";

/// What a key opens.
///
/// # Errors
/// `unauthenticated` for one that nobody has; `rate_limited` where its address has presented too many of them.
pub async fn looked_up<T>(
    web: &Web,
    kind: SecretKind,
    text: &str,
    address: IpAddr,
    look_up: impl Future<Output = voelgoed_app::error::Result<Option<T>>>,
) -> Result<T, Failure> {
    let (guesses, secret) = (&web.key_guesses, fingerprint(text));
    let is_known = is_issued(&web.platform.master, kind, text) || guesses.was_found(secret);
    let attempt = match is_known || web.platform.credentials.knows(secret) {
        true => None,
        false => Some(guesses.of(kind).begin(address).await.map_err(|limited| refusal(limited, TOO_MANY))?),
    };
    match look_up.await {
        Ok(None) => Err(Refusal::new(Code::Unauthenticated, "Send a valid key.").into()),
        Ok(Some(found)) => {
            if !is_known {
                guesses.remember(secret);
            }
            if let Some(attempt) = attempt {
                attempt.give_back();
            }
            Ok(found)
        }
        Err(error) => {
            if let Some(attempt) = attempt {
                attempt.give_back();
            }
            Err(error.into())
        }
    }
}
