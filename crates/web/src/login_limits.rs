//! Limits wrong passwords by account, beside the limit by address, without giving a stranger the power to lock an owner out.
//!
//! | who tries | what limits wrong passwords |
//! |---|---|
//! | an address or browser that the account was never used from | its own small budget for this account, and the account's budget |
//! | an address or browser that the account was used from | its own small budget for this account alone |
//!
//! So one address uses up a part of the account's budget only. Where many addresses use it up together, a new address of the owner waits for the next
//! try that fits (`login_account_per` / `login_account_burst`, 20 s by default), and a familiar one does not wait. A browser is familiar by a cookie with
//! a MAC, an address for as long as this node remembers it. Correct passwords are not counted.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use voelgoed_app::limits::attempts::{Attempt, AttemptLimiter, Fingerprint};
use voelgoed_app::token::{MasterKey, fingerprint};
use voelgoed_domain::refusal::Refusal;

use crate::extract::CookieName;
use crate::rates::refusal;

/// The cookie of a browser that an account was used from.
pub const FAMILIAR_COOKIE: CookieName = CookieName { plain: "vg_familiar", secure: "__Host-vg_familiar" };
/// How long a browser keeps it.
pub const FAMILIAR_SECONDS: u64 = 180 * 24 * 3600;
/// Addresses of accounts that are remembered.
const FAMILIAR_MAX: usize = 50_000;
const TOO_MANY: &str = "Too many wrong passwords for this account. Wait a moment.";

/// The limits of wrong passwords.
pub struct LoginLimits {
    accounts: AttemptLimiter<Fingerprint>,
    places: AttemptLimiter<Fingerprint>,
    familiar: Mutex<HashSet<Fingerprint>>,
}

/// A login that was counted.
#[must_use = "a login that succeeded is given back"]
pub struct LoginTry<'a> {
    limits: &'a LoginLimits,
    place: Fingerprint,
    by_place: Attempt<'a, Fingerprint>,
    by_account: Option<Attempt<'a, Fingerprint>>,
}

impl LoginLimits {
    /// Limits by account, and by account at one address or browser.
    #[must_use]
    pub fn new(accounts: AttemptLimiter<Fingerprint>, places: AttemptLimiter<Fingerprint>) -> Self {
        Self { accounts, places, familiar: Mutex::default() }
    }

    /// Counts a login of `account` from an address, or from the browser of a cookie.
    ///
    /// # Errors
    /// `rate_limited`; the password must not be looked at then.
    pub async fn begin(
        &self,
        master: &MasterKey,
        account: &str,
        address: IpAddr,
        cookie: Option<&str>,
    ) -> Result<LoginTry<'_>, Refusal> {
        let browser = cookie.and_then(|value| browser_of(master, account, value));
        let place = match &browser {
            Some(nonce) => Fingerprint(fingerprint(&format!("{account}\nbrowser {nonce}"))),
            None => Fingerprint(fingerprint(&format!("{account}\naddress {address}"))),
        };
        let too_many = |limited| refusal(limited, TOO_MANY);
        // The place first: what it may not do must not use up the account's budget.
        let by_place = self.places.begin(place).await.map_err(too_many)?;
        let by_account = match browser.is_some() || self.familiar().contains(&place) {
            true => None,
            false => Some(self.accounts.begin(Fingerprint(fingerprint(account))).await.map_err(too_many)?),
        };
        Ok(LoginTry { limits: self, place, by_place, by_account })
    }

    fn familiar(&self) -> std::sync::MutexGuard<'_, HashSet<Fingerprint>> {
        self.familiar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LoginTry<'_> {
    /// The password was right: the place is familiar from now on.
    pub fn succeeded(self) {
        let mut familiar = self.limits.familiar();
        if familiar.len() >= FAMILIAR_MAX {
            familiar.clear();
        }
        familiar.insert(self.place);
        drop(familiar);
        self.give_back();
    }

    /// The password was not looked at.
    pub fn give_back(self) {
        self.by_place.give_back();
        if let Some(by_account) = self.by_account {
            by_account.give_back();
        }
    }
}

/// The value of the cookie that makes a browser familiar to an account.
#[must_use]
pub fn familiar_cookie(master: &MasterKey, account: &str, random: &[u8; 32]) -> String {
    let nonce = hex(&random[..16]);
    format!("{nonce}.{}", mac(master, account, &nonce))
}

fn browser_of<'a>(master: &MasterKey, account: &str, value: &'a str) -> Option<&'a str> {
    let (nonce, presented) = value.split_once('.')?;
    (fingerprint(presented) == fingerprint(&mac(master, account, nonce))).then_some(nonce)
}

fn mac(master: &MasterKey, account: &str, nonce: &str) -> String {
    hex(&master.derive("familiar browser", &[account.as_bytes(), nonce.as_bytes()])[..16])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use voelgoed_resilience::rate_limit::RateLimit;

    use super::*;

    fn limits() -> LoginLimits {
        let limit = |name, burst| RateLimit { name, burst, per: Duration::from_secs(600), keys: 100 };
        LoginLimits::new(AttemptLimiter::new(limit("accounts", 6), None), AttemptLimiter::new(limit("places", 2), None))
    }

    fn address(last: u8) -> IpAddr {
        [10, 0, 0, last].into()
    }

    #[tokio::test(start_paused = true)]
    async fn strangers_use_up_the_account_and_its_owner_goes_on_where_the_account_was_used() {
        let (limits, master) = (limits(), MasterKey::new([7; 32]));
        let owner = limits.begin(&master, "owner", address(1), None).await.unwrap();
        owner.succeeded();
        let cookie = familiar_cookie(&master, "owner", &[1; 32]);
        // One stranger alone gets no further than its own budget.
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
        // Of another account, or made up.
        assert!(
            limits.begin(&master, "owner", address(8), Some(&familiar_cookie(&master, "x", &[1; 32]))).await.is_err()
        );
        assert!(limits.begin(&master, "owner", address(7), Some("0.0")).await.is_err());
        // Elsewhere, after the time that the refusal names.
        let wait = refused.evidence.retry_after.unwrap_or_default();
        tokio::time::advance(Duration::from_secs(u64::from(wait))).await;
        assert!(limits.begin(&master, "owner", address(6), None).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_known_browser_has_a_budget_of_its_own_and_no_more() {
        let (limits, master) = (limits(), MasterKey::new([7; 32]));
        let cookie = familiar_cookie(&master, "owner", &[1; 32]);
        for expected in [true, true, false] {
            let tried = limits.begin(&master, "owner", address(1), Some(&cookie)).await;
            assert_eq!(tried.is_ok(), expected);
        }
        assert!(limits.begin(&master, "owner", address(1), None).await.is_ok(), "its address has another one");
    }
}
