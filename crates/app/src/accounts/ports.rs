//! Declares the store of organizations, members, API keys, logins and the audit log.
//!
//! Never: a secret in plain text; keys and logins are stored as SHA-256, passwords as argon2.

use async_trait::async_trait;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::{ApiKeyId, LoginId, MemberId, OrganizationId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use crate::error::StoreResult;
use crate::idempotency::{Created, IdempotencyRecord};
use crate::page::{Page, PageRequest};

/// An organization, which is the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its identifier.
    pub id: OrganizationId,
    /// The displayed name.
    pub name: String,
    /// The unique name in URLs.
    pub slug: String,
    /// The time of creation.
    pub created_at: Timestamp,
}

/// A person who works for an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its identifier.
    pub id: MemberId,
    /// The member's organization.
    pub organization: OrganizationId,
    /// The displayed name.
    pub name: String,
    /// The e-mail address for logins, in lower case, unique within the organization.
    pub email: String,
    /// The granted scopes.
    pub scopes: Vec<Scope>,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The time from which the member cannot log in; none for an enabled member.
    pub disabled_at: Option<Timestamp>,
}

/// A change of a member; absent fields stay.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemberChange {
    /// The new name.
    pub name: Option<String>,
    /// The new scopes, sorted, without duplicates.
    pub scopes: Option<Vec<Scope>>,
    /// True disables the member's logins, false enables them.
    pub disabled: Option<bool>,
    /// The argon2 hash of the new password.
    pub password_hash: Option<String>,
    /// True if members change themselves.
    pub by_itself: bool,
}

impl MemberChange {
    /// Applies the change except for the password. A member that is disabled already keeps the earlier time.
    pub fn apply(&self, member: &mut Member, now: Timestamp) {
        if let Some(name) = &self.name {
            member.name.clone_from(name);
        }
        if let Some(scopes) = &self.scopes {
            member.scopes.clone_from(scopes);
        }
        if let Some(disabled) = self.disabled {
            member.disabled_at = disabled.then(|| member.disabled_at.unwrap_or(now));
        }
    }
}

/// A key for the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its identifier.
    pub id: ApiKeyId,
    /// Its organization.
    pub organization: OrganizationId,
    /// The displayed name.
    pub name: String,
    /// The granted scopes.
    pub scopes: Vec<Scope>,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The time of revocation; none for a valid key.
    pub revoked_at: Option<Timestamp>,
}

/// A login to the console that a cookie identifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleSession {
    /// The login's identifier.
    pub login: LoginId,
    /// The logged-in member.
    pub member: Member,
    /// The end of the login.
    pub expires_at: Timestamp,
}

/// A login to write.
#[derive(Debug, Clone)]
pub struct NewLogin {
    /// Its identifier.
    pub login: LoginId,
    /// The SHA-256 of the cookie.
    pub token: [u8; 32],
    /// The hash that the password was checked against; the login is refused if the member's hash has changed since.
    pub password_hash: String,
    /// The start of the login.
    pub created_at: Timestamp,
    /// The end of the login.
    pub expires_at: Timestamp,
}

/// A login in the list of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberLogin {
    /// Its identifier.
    pub id: LoginId,
    /// The start of the login.
    pub created_at: Timestamp,
    /// The end of the login.
    pub expires_at: Timestamp,
}

/// A line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// Its identifier, ordered by age.
    pub id: uuid::Uuid,
    /// `key_…`, `mem_…` or `system`.
    pub actor: String,
    /// `event.publish`, `order.refund`, …
    pub action: String,
    /// The object of the act.
    pub subject: String,
    /// The time of the act.
    pub at: Timestamp,
}

/// Organizations, members, keys, sessions and the audit log in the cold tier.
#[async_trait]
pub trait AccountStore: Send + Sync + 'static {
    /// Writes an organization and its first key with the SHA-256 of the key's secret. Refused: `already_exists` (slug).
    async fn create_organization(
        &self,
        organization: Organization,
        first_key: Option<(ApiKey, [u8; 32])>,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>>;
    /// One organization.
    async fn read_organization(&self, organization: OrganizationId) -> StoreResult<Option<Organization>>;
    /// The organization with this slug (system role).
    async fn organization_by_slug(&self, slug: &str) -> StoreResult<Option<Organization>>;
    /// All organizations, for the operator's command line (system role).
    async fn organizations(&self, page: PageRequest) -> StoreResult<Page<Organization>>;

    /// Writes a member with the argon2 hash of the password. Refused: `already_exists` (email), `quota_reached`.
    async fn create_member(
        &self,
        member: Member,
        password_hash: String,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>>;
    /// The members.
    async fn members(&self, organization: OrganizationId, page: PageRequest) -> StoreResult<Page<Member>>;
    /// A member and their password hash.
    async fn read_member(
        &self,
        organization: OrganizationId,
        member: MemberId,
    ) -> StoreResult<Option<(Member, String)>>;
    /// Changes a member. A new password or disabling ends all logins. Refused: `not_found`, `last_administrator`.
    async fn change_member(
        &self,
        organization: OrganizationId,
        member: MemberId,
        change: MemberChange,
        now: Timestamp,
    ) -> StoreResult<Result<Member, Refusal>>;
    /// At most `limit` memberships of an e-mail address with their password hashes (system role: the address determines the organizations).
    async fn memberships(&self, email: &str, limit: u32) -> StoreResult<Vec<(Member, String)>>;

    /// Writes a login; false if the member is disabled or the password has changed since the check.
    async fn create_session(
        &self,
        organization: OrganizationId,
        member: MemberId,
        session: NewLogin,
    ) -> StoreResult<bool>;
    /// The active logins of a member, oldest first.
    async fn logins(
        &self,
        organization: OrganizationId,
        member: MemberId,
        now: Timestamp,
    ) -> StoreResult<Vec<MemberLogin>>;
    /// Ends one login of a member, or all; returns the number of ended logins.
    async fn end_logins(
        &self,
        organization: OrganizationId,
        member: MemberId,
        login: Option<LoginId>,
    ) -> StoreResult<u64>;
    /// The active login of a cookie (system role: the token determines the organization).
    async fn session_by_token(&self, token: [u8; 32], now: Timestamp) -> StoreResult<Option<ConsoleSession>>;
    /// Ends a login.
    async fn end_session(&self, token: [u8; 32]) -> StoreResult<()>;

    /// Writes a key; `secret` is its SHA-256.
    async fn create_api_key(
        &self,
        key: ApiKey,
        secret: [u8; 32],
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>>;
    /// The keys.
    async fn api_keys(&self, organization: OrganizationId, page: PageRequest) -> StoreResult<Page<ApiKey>>;
    /// The key with this secret, revoked or not (system role: the secret determines the organization).
    async fn api_key_by_secret(&self, secret: [u8; 32]) -> StoreResult<Option<ApiKey>>;
    /// Revokes a key; `by_itself` if the key revokes itself. Refused: `not_found`, `last_administrator`.
    async fn revoke_api_key(
        &self,
        organization: OrganizationId,
        key: ApiKeyId,
        by_itself: bool,
        now: Timestamp,
    ) -> StoreResult<Result<(), Refusal>>;

    /// The audit log, oldest first. The transactions of the acts write its lines (see [`super::audit`]).
    async fn audit_lines(&self, organization: OrganizationId, page: PageRequest) -> StoreResult<Page<AuditLine>>;
}
