//! Logs members in to the console and out of it, in a time that does not depend on whether the address is known.
//!
//! One e-mail address may be a member of several organizations, each with its own password.
//!
//! | login | passwords that are checked |
//! |---|---|
//! | names an organization by slug or identifier | one |
//! | names none | that of every membership, at least [`PASSWORD_CHECKS_MIN`], at most [`LOGIN_MEMBERSHIPS_MAX`] |

use std::time::Duration;

use voelgoed_domain::accounts::email;
use voelgoed_domain::refusal::{Code, Refusal};

use super::Accounts;
use super::ports::{ConsoleSession, Member, NewLogin};
use super::secret::{SecretKind, new_secret};
use crate::error::CommandResult;
use crate::token::{MasterKey, fingerprint};

/// The life of a login.
pub const LOGIN_TTL: Duration = Duration::from_secs(12 * 3600);
/// Memberships that a login without an organization checks; members of more organizations must name one.
pub const LOGIN_MEMBERSHIPS_MAX: usize = 5;
/// Passwords that a login without an organization checks at least, also for an unknown address.
const PASSWORD_CHECKS_MIN: usize = 2;
/// Memberships of one address that are read.
const MEMBERSHIPS_READ_MAX: u32 = 1_000;

/// A new login with its cookie.
#[derive(Debug, Clone)]
pub struct Login {
    /// The cookie's value.
    pub token: String,
    /// The CSRF token that writes must send.
    pub csrf: String,
    /// The member and the end of the login.
    pub session: ConsoleSession,
}

impl Accounts {
    /// Checks the password and writes the login. An unknown address takes the same time and gets the same answer as a wrong password.
    ///
    /// # Errors
    /// `unauthenticated`, `organization_required`, `overloaded`.
    pub async fn log_in(&self, email: &str, password: String, organization: Option<&str>) -> CommandResult<Login> {
        // An invalid address matches no member and takes the same time.
        let email = email::counting_key(email);
        let mut matching = match organization {
            Some(named) => self.check_membership(&email, password, named.trim()).await?,
            None => self.check_all_memberships(&email, password).await?,
        };
        let Some((member, password_hash)) = matching.pop() else { return Err(wrong_credentials().into()) };
        if !matching.is_empty() {
            matching.push((member, password_hash));
            return Err(self.organization_required(&matching).await?.into());
        }
        let environment = &*self.context.environment;
        let token = new_secret(&self.context.master, environment, SecretKind::Login);
        let (login, created_at) = (self.context.new_id(), environment.now());
        let expires_at = created_at.plus(LOGIN_TTL);
        let session = NewLogin { login, token: fingerprint(&token), password_hash, created_at, expires_at };
        if !self.store.create_session(member.organization, member.id, session).await? {
            return Err(wrong_credentials().into());
        }
        let csrf = csrf_token(&self.context.master, fingerprint(&token));
        Ok(Login { token, csrf, session: ConsoleSession { login, member, expires_at } })
    }

    /// The membership in the named organization, if the password is right.
    async fn check_membership(
        &self,
        email: &str,
        password: String,
        named: &str,
    ) -> CommandResult<Vec<(Member, String)>> {
        let id = match named.parse() {
            Ok(id) => Some(id),
            Err(_) => self.store.organization_by_slug(named).await?.map(|found| found.id),
        };
        let found = self.store.memberships(email, MEMBERSHIPS_READ_MAX).await?;
        let found = found.into_iter().find(|(member, _)| Some(member.organization) == id && may_log_in(member));
        let hash = found.as_ref().map(|(_, hash)| hash.clone());
        let fits = self.passwords.verify(password, hash).await?;
        Ok(found.into_iter().filter(|_| fits).collect())
    }

    /// Every membership that has this password. All are checked, also after a match, so that the time is constant.
    async fn check_all_memberships(&self, email: &str, password: String) -> CommandResult<Vec<(Member, String)>> {
        let found = self.store.memberships(email, MEMBERSHIPS_READ_MAX).await?;
        let found: Vec<_> =
            found.into_iter().filter(|(member, _)| may_log_in(member)).take(LOGIN_MEMBERSHIPS_MAX).collect();
        let checks = found.len().max(PASSWORD_CHECKS_MIN);
        let mut matching = Vec::new();
        for at in 0..checks {
            let membership = found.get(at);
            let hash = membership.map(|(_, hash)| hash.clone());
            if self.passwords.verify(password.clone(), hash).await? {
                matching.extend(membership.cloned());
            }
        }
        Ok(matching)
    }

    /// Names the organizations: a caller with the password of several memberships may know them.
    async fn organization_required(&self, matching: &[(Member, String)]) -> CommandResult<Refusal> {
        let mut slugs = Vec::new();
        for (member, _) in matching {
            let organization = self.store.read_organization(member.organization).await?;
            slugs.extend(organization.map(|organization| organization.slug));
        }
        slugs.sort_unstable();
        let detail = format!(
            "You are a member of several organizations. Log in again with `organization`, one of: {}.",
            slugs.join(", ")
        );
        Ok(Refusal::new(Code::OrganizationRequired, detail)
            .with(|evidence| evidence.field = Some("organization".to_owned())))
    }

    /// Ends the login of a cookie; a repeat changes nothing.
    ///
    /// # Errors
    /// A fault of the cold tier.
    pub async fn log_out(&self, token: &str) -> CommandResult<()> {
        self.store.end_session(fingerprint(token)).await?;
        self.credentials.end_login(fingerprint(token));
        Ok(())
    }
}

fn may_log_in(member: &Member) -> bool {
    member.disabled_at.is_none()
}

fn wrong_credentials() -> Refusal {
    let detail = format!(
        "Address or password is wrong. Members of more than {LOGIN_MEMBERSHIPS_MAX} organizations must name one in `organization`."
    );
    Refusal::new(Code::Unauthenticated, detail)
}

/// The CSRF token of a login, derived from the SHA-256 of its cookie, so that no store keeps it.
#[must_use]
pub fn csrf_token(master: &MasterKey, token: [u8; 32]) -> String {
    SecretKind::Login.encode(&master.derive("console csrf", &[&token]))
}
