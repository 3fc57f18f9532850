//! Looks a presented key up; a key that is neither signed by this platform nor found before counts against the budget of its address.

use std::future::Future;
use std::net::IpAddr;

use voelgoed_app::accounts::secret::{SecretKind, is_issued};
use voelgoed_app::error::CommandResult;
use voelgoed_app::token::fingerprint;
use voelgoed_domain::refusal::{Code, Refusal};

use crate::problem::Failure;
use crate::state::Web;

/// The refusal of a key that is not valid here.
#[must_use]
pub fn unauthenticated() -> Refusal {
    Refusal::new(Code::Unauthenticated, "Send a valid key.")
}

/// The credential that a key belongs to, read by `look_up`.
///
/// # Errors
/// `unauthenticated` where no credential has the key; `rate_limited` where its address presented too many of those.
pub async fn look_up_credential<T>(
    web: &Web,
    kind: SecretKind,
    text: &str,
    address: IpAddr,
    look_up: impl Future<Output = CommandResult<Option<T>>>,
) -> Result<T, Failure> {
    let (limiter, key) = (&web.failed_auth_limiter, fingerprint(text));
    let is_trusted = is_issued(&web.slices.context.master, kind, text) || limiter.was_found(key);
    let attempt = match is_trusted || web.slices.accounts.credentials.is_cached(key) {
        true => None,
        false => Some(limiter.begin(kind, address).await?),
    };
    let found = look_up.await;
    if let (Some(attempt), Ok(Some(_)) | Err(_)) = (attempt, &found) {
        attempt.give_back();
    }
    let credential = found?.ok_or_else(unauthenticated)?;
    if !is_trusted {
        limiter.remember_found(key);
    }
    Ok(credential)
}
