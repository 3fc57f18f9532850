//! Limits wrong passwords by account, beside the limit by address, so that guessing is slow and a stranger still cannot lock an owner out.
//!
//! | origin of the login | budgets of wrong passwords |
//! |---|---|
//! | an address or browser that the account was never used from | its own small one for this account, and the one of the account |
//! | an address or browser that the account was used from (familiar) | its own small one for this account |
//!
//! One address uses up only a part of the account's budget. Where many addresses use the budget up together, the owner at a new address waits for the next
//! attempt (`login_account_per` / `login_account_burst`, 20 s by default); a familiar origin does not wait. A browser is familiar by a cookie with a MAC,
//! an address while this node remembers it. Correct passwords are not counted.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use voelgoed_app::limits::attempt_limiter::{AttemptLimiter, Fingerprint, LimitedAttempt};
use voelgoed_app::token::{MasterKey, fingerprint};
use voelgoed_domain::refusal::Refusal;

use crate::cookies::CookieName;
use crate::rate_limit_refusal::rate_limit_refusal;

/// The cookie of a familiar browser.
pub(crate) const FAMILIAR_COOKIE: CookieName = CookieName { plain: "vg_familiar", secure: "__Host-vg_familiar" };
/// `Max-Age` of that cookie.
pub(crate) const FAMILIAR_SECONDS: u64 = 180 * 24 * 3600;
/// Familiar addresses and browsers that are remembered; a full set is cleared.
const FAMILIAR_MAX: usize = 50_000;
const TOO_MANY: &str = "Too many wrong passwords for this account. Wait a moment.";

/// The limits of wrong passwords.
pub struct LoginLimits {
    accounts: AttemptLimiter<Fingerprint>,
    origins: AttemptLimiter<Fingerprint>,
    familiar: Mutex<HashSet<Fingerprint>>,
}

/// A login that is counted as a wrong password until its result is known.
///
/// | result | the caller |
/// |---|---|
/// | the password was correct | calls [`Self::succeeded`] |
/// | the password was wrong | drops the attempt, which stays counted |
/// | the password was not checked | calls [`Self::give_back`] |
#[must_use = "a dropped attempt counts as a wrong password: call `succeeded` after a correct one, `give_back` if none was checked"]
pub struct LoginAttempt<'a> {
    limits: &'a LoginLimits,
    origin: Fingerprint,
    by_origin: LimitedAttempt<'a, Fingerprint>,
    by_account: Option<LimitedAttempt<'a, Fingerprint>>,
}

impl LoginLimits {
    /// Limits by account, and by origin and account.
    #[must_use]
    pub fn new(accounts: AttemptLimiter<Fingerprint>, origins: AttemptLimiter<Fingerprint>) -> Self {
        Self { accounts, origins, familiar: Mutex::default() }
    }

    /// Counts a login of `account` from an address, or from the browser of a cookie.
    ///
    /// # Errors
    /// `rate_limited`; the password must not be checked then.
    pub async fn begin(
        &self,
        master: &MasterKey,
        account: &str,
        address: IpAddr,
        cookie: Option<&str>,
    ) -> Result<LoginAttempt<'_>, Refusal> {
        let browser = cookie.and_then(|value| browser_of(master, account, value));
        let origin = match &browser {
            Some(nonce) => Fingerprint(fingerprint(&format!("{account}\nbrowser {nonce}"))),
            None => Fingerprint(fingerprint(&format!("{account}\naddress {address}"))),
        };
        let too_many = |limited| rate_limit_refusal(limited, TOO_MANY);
        // The origin first: its refused attempts must not use up the account's budget.
        let by_origin = self.origins.begin(origin).await.map_err(too_many)?;
        let by_account = match browser.is_some() || self.familiar().contains(&origin) {
            true => None,
            false => Some(self.accounts.begin(Fingerprint(fingerprint(account))).await.map_err(too_many)?),
        };
        Ok(LoginAttempt { limits: self, origin, by_origin, by_account })
    }

    fn familiar(&self) -> std::sync::MutexGuard<'_, HashSet<Fingerprint>> {
        self.familiar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LoginAttempt<'_> {
    /// The password was correct: uncounts the attempt, and makes the origin familiar.
    pub fn succeeded(self) {
        let mut familiar = self.limits.familiar();
        if familiar.len() >= FAMILIAR_MAX {
            familiar.clear();
        }
        familiar.insert(self.origin);
        drop(familiar);
        self.give_back();
    }

    /// The password was not checked: uncounts the attempt.
    pub fn give_back(self) {
        self.by_origin.give_back();
        if let Some(by_account) = self.by_account {
            by_account.give_back();
        }
    }
}

/// The value of the cookie that makes a browser familiar to an account.
#[must_use]
pub fn familiar_cookie(master: &MasterKey, account: &str, random: &[u8; 32]) -> String {
    let nonce = hex::encode(&random[..16]);
    format!("{nonce}.{}", mac(master, account, &nonce))
}

fn browser_of<'a>(master: &MasterKey, account: &str, value: &'a str) -> Option<&'a str> {
    let (nonce, presented) = value.split_once('.')?;
    (fingerprint(presented) == fingerprint(&mac(master, account, nonce))).then_some(nonce)
}

fn mac(master: &MasterKey, account: &str, nonce: &str) -> String {
    hex::encode(&master.derive("familiar browser", &[account.as_bytes(), nonce.as_bytes()])[..16])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use voelgoed_resilience::rate_limit::RateLimit;

    use super::*;

    fn limits() -> LoginLimits {
        let limit = |name, burst| RateLimit { name, burst, per: Duration::from_secs(600), keys_max: 100 };
        LoginLimits::new(
            AttemptLimiter::new(limit("accounts", 6), None),
            AttemptLimiter::new(limit("origins", 2), None),
        )
    }

    fn address(last: u8) -> IpAddr {
        [10, 0, 0, last].into()
    }

    #[tokio::test(start_paused = true)]
    async fn owner_logs_in_from_a_familiar_origin_after_strangers_used_the_budget_up() {
        let (limits, master) = (limits(), MasterKey::new([7; 32]));
        let owner = limits.begin(&master, "owner", address(1), None).await.unwrap();
        owner.succeeded();
        let cookie = familiar_cookie(&master, "owner", &[1; 32]);
        // One stranger alone has only its own budget.
        for expected in [true, true, false, false] {
            let tried = limits.begin(&master, "owner", address(2), None).await;
            assert_eq!(tried.is_ok(), expected);
        }
        // Several of them use the account's budget up.
        for last in 3..5 {
            for _ in 0..2 {
                assert!(limits.begin(&master, "owner", address(last), None).await.is_ok());
            }
        }
        let refused = limits.begin(&master, "owner", address(9), None).await.err().unwrap();
        assert_eq!(refused.evidence.limit.map(|limit| limit.name), Some("accounts"));
        assert!(limits.begin(&master, "another", address(9), None).await.is_ok());
        // The owner at the known address, and in the known browser anywhere.
        assert!(limits.begin(&master, "owner", address(1), None).await.is_ok());
        assert!(limits.begin(&master, "owner", address(9), Some(&cookie)).await.is_ok());
        // A cookie of another account, and an invented one.
        assert!(
            limits.begin(&master, "owner", address(8), Some(&familiar_cookie(&master, "x", &[1; 32]))).await.is_err()
        );
        assert!(limits.begin(&master, "owner", address(7), Some("0.0")).await.is_err());
        // At a new address, after the time that the refusal names.
        let wait = refused.evidence.retry_after.unwrap_or_default();
        tokio::time::advance(Duration::from_secs(u64::from(wait))).await;
        assert!(limits.begin(&master, "owner", address(6), None).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn familiar_browser_has_a_budget_of_its_own() {
        let (limits, master) = (limits(), MasterKey::new([7; 32]));
        let cookie = familiar_cookie(&master, "owner", &[1; 32]);
        for expected in [true, true, false] {
            let tried = limits.begin(&master, "owner", address(1), Some(&cookie)).await;
            assert_eq!(tried.is_ok(), expected);
        }
        assert!(limits.begin(&master, "owner", address(1), None).await.is_ok(), "its address has another budget");
    }
}
