//! A member logs in to the console, or out of it.

use std::time::Duration;

use voelgoed_domain::accounts::identity;
use voelgoed_domain::refusal::{Code, Refusal};

use super::ports::ConsoleSession;
use super::secret::{SecretKind, fresh_secret};
use crate::error::Result;
use crate::platform::Platform;
use crate::token::fingerprint;

/// How long a login lasts.
pub const LASTS: Duration = Duration::from_secs(12 * 3600);

/// A login with its cookie, as it is answered once.
#[derive(Debug, Clone)]
pub struct Login {
    /// The cookie's value.
    pub token: String,
    /// Who, until when, with which CSRF token.
    pub session: ConsoleSession,
}

/// Checks the password and writes the login; as slow and as vague for an unknown address as for a wrong password.
///
/// # Errors
/// `unauthenticated`, `overloaded`.
pub async fn log_in(platform: &Platform, email: &str, password: String) -> Result<Login> {
    // What cannot be an address is nobody's, and takes as long.
    let address = identity::email("email", email).unwrap_or_default();
    let found = platform.accounts.member_by_email(&address).await?;
    let (member, hash) = found.map_or((None, None), |(member, hash)| (Some(member), Some(hash)));
    let fits = platform.passwords.verify(password, hash).await?;
    let member = member.filter(|_| fits);
    let member = member.ok_or_else(|| Refusal::new(Code::Unauthenticated, "Address or password is wrong."))?;
    let environment = &*platform.environment;
    let token = fresh_secret(&platform.master, environment, SecretKind::Login);
    let csrf = fresh_secret(&platform.master, environment, SecretKind::Login);
    let expires_at = environment.now().plus(LASTS);
    platform.accounts.create_session(member.id, member.organization, fingerprint(&token), &csrf, expires_at).await?;
    Ok(Login { token, session: ConsoleSession { member, csrf, expires_at } })
}

/// Ends the login of a cookie; repeating it changes nothing.
///
/// # Errors
/// A fault of the cold tier.
pub async fn log_out(platform: &Platform, token: &str) -> Result<()> {
    platform.accounts.end_session(fingerprint(token)).await?;
    platform.credentials.login_ended(fingerprint(token));
    Ok(())
}
