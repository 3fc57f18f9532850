//! What accounts need of the cold tier. Secrets are stored as SHA-256 (keys, sessions) or argon2 (passwords), never as themselves.

use async_trait::async_trait;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::{ApiKeyId, MemberId, OrganizationId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use crate::error::Stored;
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
    /// What they log in with, lower case, unique over all organizations.
    pub email: String,
    /// What they may do.
    pub scopes: Vec<Scope>,
    /// When they were added.
    pub created_at: Timestamp,
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
    /// Who.
    pub member: Member,
    /// The token that writes must carry.
    pub csrf: String,
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
    /// Writes an organization. Refused: `already_exists` (slug).
    async fn create_organization(&self, organization: Organization) -> Stored<Result<(), Refusal>>;
    /// One organization.
    async fn read_organization(&self, organization: OrganizationId) -> Stored<Option<Organization>>;
    /// By its name in URLs (system role).
    async fn organization_by_slug(&self, slug: &str) -> Stored<Option<Organization>>;
    /// All organizations, for the operator at the command line (system role).
    async fn organizations(&self, page: PageRequest) -> Stored<Page<Organization>>;

    /// Writes a member with the argon2 hash of the password. Refused: `already_exists` (email).
    async fn create_member(
        &self,
        member: Member,
        password_hash: String,
        idempotency: Option<IdempotencyRecord>,
    ) -> Stored<Result<Created<()>, Refusal>>;
    /// The members.
    async fn members(&self, organization: OrganizationId, page: PageRequest) -> Stored<Page<Member>>;
    /// A member and their password hash by e-mail address (system role: the address names the tenant).
    async fn member_by_email(&self, email: &str) -> Stored<Option<(Member, String)>>;

    /// Writes a login; `token` is the SHA-256 of the cookie.
    async fn create_session(
        &self,
        member: MemberId,
        organization: OrganizationId,
        token: [u8; 32],
        csrf: &str,
        expires_at: Timestamp,
    ) -> Stored<()>;
    /// The login of a cookie that is not over (system role: the token names the tenant).
    async fn session_by_token(&self, token: [u8; 32], now: Timestamp) -> Stored<Option<ConsoleSession>>;
    /// Ends a login.
    async fn end_session(&self, token: [u8; 32]) -> Stored<()>;

    /// Writes a key; `secret` is its SHA-256.
    async fn create_api_key(
        &self,
        key: ApiKey,
        secret: [u8; 32],
        idempotency: Option<IdempotencyRecord>,
    ) -> Stored<Result<Created<()>, Refusal>>;
    /// The keys.
    async fn api_keys(&self, organization: OrganizationId, page: PageRequest) -> Stored<Page<ApiKey>>;
    /// The key that has this secret, revoked or not (system role: the secret names the tenant).
    async fn api_key_by_secret(&self, secret: [u8; 32]) -> Stored<Option<ApiKey>>;
    /// Revokes a key; false where there is none.
    async fn revoke_api_key(&self, organization: OrganizationId, key: ApiKeyId, now: Timestamp) -> Stored<bool>;

    /// Appends to the audit log.
    async fn audit(&self, organization: OrganizationId, line: AuditLine) -> Stored<()>;
    /// The audit log, oldest first.
    async fn audit_lines(&self, organization: OrganizationId, page: PageRequest) -> Stored<Page<AuditLine>>;
}
