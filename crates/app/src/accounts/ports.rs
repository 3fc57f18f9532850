//! What accounts need of the cold tier. Secrets are stored as SHA-256 (keys, sessions) or argon2 (passwords), never as themselves.

use async_trait::async_trait;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::{ApiKeyId, LoginId, MemberId, OrganizationId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use crate::error::StoreResult;
use crate::idempotency::{Created, IdempotencyRecord};
use crate::page::{Page, PageRequest};

/// The tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its identifier.
    pub id: OrganizationId,
    /// What people call it.
    pub name: String,
    /// Its name in URLs, unique.
    pub slug: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A person who works for an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Their identifier.
    pub id: MemberId,
    /// Their organization.
    pub organization: OrganizationId,
    /// Their name.
    pub name: String,
    /// What they log in with, lower case, unique within the organization.
    pub email: String,
    /// What they may do.
    pub scopes: Vec<Scope>,
    /// When they were added.
    pub created_at: Timestamp,
    /// Since when they cannot log in, where they are disabled.
    pub disabled_at: Option<Timestamp>,
}

/// A change of a member; what is absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemberChange {
    /// Another name.
    pub name: Option<String>,
    /// Other scopes, sorted and each once.
    pub scopes: Option<Vec<Scope>>,
    /// Whether they are disabled.
    pub disabled: Option<bool>,
    /// The argon2 hash of another password.
    pub password_hash: Option<String>,
    /// True where members change themselves.
    pub by_itself: bool,
}

impl MemberChange {
    /// Makes the change, but for the password; whoever is disabled already keeps the first moment.
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
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

/// A member's login, as the console's cookie names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleSession {
    /// Which login.
    pub login: LoginId,
    /// Who.
    pub member: Member,
    /// Until when.
    pub expires_at: Timestamp,
}

/// A login to write.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Its identifier.
    pub login: LoginId,
    /// The SHA-256 of the cookie.
    pub token: [u8; 32],
    /// The hash against which the password was checked: where the member has another one by now, nobody is logged in.
    pub password_hash: String,
    /// From when.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
}

/// A login as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberLogin {
    /// Its identifier.
    pub id: LoginId,
    /// From when.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
}

/// A line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// Its identifier, by age.
    pub id: uuid::Uuid,
    /// `key_…`, `mem_…` or `system`.
    pub actor: String,
    /// `event.publish`, `order.refund`, …
    pub action: String,
    /// What it was done to.
    pub subject: String,
    /// When.
    pub at: Timestamp,
}

/// Organizations, members, keys, sessions and the audit log in the cold tier.
#[async_trait]
pub trait AccountStore: Send + Sync + 'static {
    /// Writes an organization, and its first key with the SHA-256 of its secret. Refused: `already_exists` (slug).
    async fn create_organization(
        &self,
        organization: Organization,
        first_key: Option<(ApiKey, [u8; 32])>,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>>;
    /// One organization.
    async fn read_organization(&self, organization: OrganizationId) -> StoreResult<Option<Organization>>;
    /// By its name in URLs (system role).
    async fn organization_by_slug(&self, slug: &str) -> StoreResult<Option<Organization>>;
    /// All organizations, for the operator at the command line (system role).
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
    /// Changes a member; another password, or being disabled, ends all logins. Refused: `not_found`, `last_administrator`.
    async fn change_member(
        &self,
        organization: OrganizationId,
        member: MemberId,
        change: MemberChange,
        now: Timestamp,
    ) -> StoreResult<Result<Member, Refusal>>;
    /// The memberships of an e-mail address with their password hashes, at most so many (system role: the address names the tenants).
    async fn memberships(&self, email: &str, most: u32) -> StoreResult<Vec<(Member, String)>>;

    /// Writes a login; false where the member is disabled, or has another password by now.
    async fn create_session(
        &self,
        organization: OrganizationId,
        member: MemberId,
        session: NewSession,
    ) -> StoreResult<bool>;
    /// The logins of a member that are not over, oldest first.
    async fn logins(
        &self,
        organization: OrganizationId,
        member: MemberId,
        now: Timestamp,
    ) -> StoreResult<Vec<MemberLogin>>;
    /// Ends one login of a member, or all of them; how many there were.
    async fn end_logins(
        &self,
        organization: OrganizationId,
        member: MemberId,
        login: Option<LoginId>,
    ) -> StoreResult<u64>;
    /// The login of a cookie that is not over (system role: the token names the tenant).
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
    /// The key that has this secret, revoked or not (system role: the secret names the tenant).
    async fn api_key_by_secret(&self, secret: [u8; 32]) -> StoreResult<Option<ApiKey>>;
    /// Revokes a key; `by_itself` where the key itself asks for it. Refused: `not_found`, `last_administrator`.
    async fn revoke_api_key(
        &self,
        organization: OrganizationId,
        key: ApiKeyId,
        by_itself: bool,
        now: Timestamp,
    ) -> StoreResult<Result<(), Refusal>>;

    /// The audit log, oldest first. Its lines are written by the transactions of the acts (see [`super::audit`]).
    async fn audit_lines(&self, organization: OrganizationId, page: PageRequest) -> StoreResult<Page<AuditLine>>;
}
