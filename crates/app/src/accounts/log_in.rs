//! A member logs in to the console, or out of it.
//!
//! One address may be a member of several organizations, each with a password of its own. A login may name the organization, by slug or identifier;
//! then one password is checked. Without it the password is checked against every membership, at least [`CHECKS_LEAST`] times, so that time does not
//! tell whether an address is known, or to one organization or two.

use std::time::Duration;

use voelgoed_domain::accounts::identity;
use voelgoed_domain::refusal::{Code, Refusal};

use super::ports::{ConsoleSession, Member, NewSession};
use super::secret::{SecretKind, fresh_secret};
use crate::environment::fresh;
use crate::error::Result;
use crate::platform::Platform;
use crate::token::{MasterKey, fingerprint};

/// How long a login lasts.
pub const LASTS: Duration = Duration::from_secs(12 * 3600);
/// Memberships of one address that a login without an organization tries; members of more have to name one.
pub const LOGIN_MEMBERSHIPS_MAX: usize = 5;
/// A login without an organization checks at least so many passwords.
const CHECKS_LEAST: usize = 2;
/// Memberships of one address that are read.
const MEMBERSHIPS_READ_MAX: u32 = 1_000;

/// A login with its cookie, as it is answered once.
#[derive(Debug, Clone)]
pub struct Login {
    /// The cookie's value.
    pub token: String,
    /// The token that writes must carry.
    pub csrf: String,
    /// Who, until when.
    pub session: ConsoleSession,
}

/// Checks the password and writes the login; as slow and as vague for an unknown address as for a wrong password.
///
/// # Errors
/// `unauthenticated`, `organization_required`, `overloaded`.
pub async fn log_in(platform: &Platform, email: &str, password: String, organization: Option<&str>) -> Result<Login> {
    // What cannot be an address is nobody's, and takes as long.
    let email = identity::email_key(email);
    let mut matching = match organization {
        Some(named) => of_organization(platform, &email, password, named.trim()).await?,
        None => of_any(platform, &email, password).await?,
    };
    let Some((member, password_hash)) = matching.pop() else { return Err(wrong().into()) };
    if !matching.is_empty() {
        matching.push((member, password_hash));
        return Err(ambiguous(platform, &matching).await?.into());
    }
    let environment = &*platform.environment;
    let token = fresh_secret(&platform.master, environment, SecretKind::Login);
    let (login, created_at) = (fresh(environment), environment.now());
    let expires_at = created_at.plus(LASTS);
    let session = NewSession { login, token: fingerprint(&token), password_hash, created_at, expires_at };
    if !platform.accounts.create_session(member.organization, member.id, session).await? {
        return Err(wrong().into());
    }
    let csrf = csrf(&platform.master, fingerprint(&token));
    Ok(Login { token, csrf, session: ConsoleSession { login, member, expires_at } })
}

/// The membership of the named organization, where the password fits it.
async fn of_organization(
    platform: &Platform,
    email: &str,
    password: String,
    named: &str,
) -> Result<Vec<(Member, String)>> {
    let id = match named.parse() {
        Ok(id) => Some(id),
        Err(_) => platform.accounts.organization_by_slug(named).await?.map(|found| found.id),
    };
    let found = platform.accounts.memberships(email, MEMBERSHIPS_READ_MAX).await?;
    let found = found.into_iter().find(|(member, _)| Some(member.organization) == id && may_log_in(member));
    let hash = found.as_ref().map(|(_, hash)| hash.clone());
    let fits = platform.passwords.verify(password, hash).await?;
    Ok(found.into_iter().filter(|_| fits).collect())
}

/// Every membership that the password fits. All are checked, also after one fits.
async fn of_any(platform: &Platform, email: &str, password: String) -> Result<Vec<(Member, String)>> {
    let found = platform.accounts.memberships(email, MEMBERSHIPS_READ_MAX).await?;
    let found: Vec<_> =
        found.into_iter().filter(|(member, _)| may_log_in(member)).take(LOGIN_MEMBERSHIPS_MAX).collect();
    let checks = found.len().max(CHECKS_LEAST);
    let mut matching = Vec::new();
    for at in 0..checks {
        let membership = found.get(at);
        let hash = membership.map(|(_, hash)| hash.clone());
        if platform.passwords.verify(password.clone(), hash).await? {
            matching.extend(membership.cloned());
        }
    }
    Ok(matching)
}

fn may_log_in(member: &Member) -> bool {
    member.disabled_at.is_none()
}

fn wrong() -> Refusal {
    let detail = format!(
        "Address or password is wrong. Members of more than {LOGIN_MEMBERSHIPS_MAX} organizations name theirs in `organization`."
    );
    Refusal::new(Code::Unauthenticated, detail)
}

/// Whoever knows the password of several memberships may know which they are.
async fn ambiguous(platform: &Platform, matching: &[(Member, String)]) -> Result<Refusal> {
    let mut slugs = Vec::new();
    for (member, _) in matching {
        let organization = platform.accounts.read_organization(member.organization).await?;
        slugs.extend(organization.map(|organization| organization.slug));
    }
    slugs.sort_unstable();
    let detail =
        format!("You work for several organizations. Repeat this with `organization`, one of: {}.", slugs.join(", "));
    Ok(Refusal::new(Code::OrganizationRequired, detail)
        .with(|evidence| evidence.field = Some("organization".to_owned())))
}

/// The CSRF token of a login, derived from its cookie's SHA-256, so that no store keeps it.
#[must_use]
pub fn csrf(master: &MasterKey, token: [u8; 32]) -> String {
    SecretKind::Login.write(&master.derive("console csrf", &[&token]))
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
