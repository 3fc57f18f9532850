//! Implements the account store: organizations, members, console sessions, API keys and the audit log.
//!
//! Never: a secret in clear text; a look-up across organizations except by a key that identifies one (slug, e-mail address, token, secret: system role).
//! To add an operation: its file, and its line in the port below.

use async_trait::async_trait;
use voelgoed_app::accounts::ports::{
    AccountStore, ApiKey, AuditLine, ConsoleSession, Member, MemberChange, MemberLogin, NewLogin, Organization,
};
use voelgoed_app::error::StoreResult;
use voelgoed_app::idempotency::{Created, IdempotencyRecord};
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_domain::ids::{ApiKeyId, LoginId, MemberId, OrganizationId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use crate::Cold;

mod api_keys;
pub(crate) mod audit;
pub(crate) mod credential_revocation;
mod member_row;
mod members;
mod organizations;
mod sessions;

#[async_trait]
impl AccountStore for Cold {
    async fn create_organization(
        &self,
        organization: Organization,
        first_key: Option<(ApiKey, [u8; 32])>,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>> {
        Ok(organizations::create(&self.db, &organization, first_key.as_ref(), idempotency.as_ref()).await?)
    }

    async fn read_organization(&self, organization: OrganizationId) -> StoreResult<Option<Organization>> {
        Ok(organizations::read(&self.db, organization).await?)
    }

    async fn organization_by_slug(&self, slug: &str) -> StoreResult<Option<Organization>> {
        Ok(organizations::by_slug(&self.db, slug).await?)
    }

    async fn organizations(&self, page: PageRequest) -> StoreResult<Page<Organization>> {
        Ok(organizations::list(&self.db, page).await?)
    }

    async fn create_member(
        &self,
        member: Member,
        password_hash: String,
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>> {
        Ok(members::create(&self.db, &member, &password_hash, idempotency.as_ref()).await?)
    }

    async fn members(&self, organization: OrganizationId, page: PageRequest) -> StoreResult<Page<Member>> {
        Ok(members::list(&self.reports, organization, page).await?)
    }

    async fn read_member(
        &self,
        organization: OrganizationId,
        member: MemberId,
    ) -> StoreResult<Option<(Member, String)>> {
        Ok(members::read(&self.db, organization, member).await?)
    }

    async fn change_member(
        &self,
        organization: OrganizationId,
        member: MemberId,
        change: MemberChange,
        now: Timestamp,
    ) -> StoreResult<Result<Member, Refusal>> {
        Ok(members::change(&self.db, organization, member, &change, now).await?)
    }

    async fn memberships(&self, email: &str, limit: u32) -> StoreResult<Vec<(Member, String)>> {
        Ok(members::by_email(&self.db, email, limit).await?)
    }

    async fn create_session(
        &self,
        organization: OrganizationId,
        member: MemberId,
        session: NewLogin,
    ) -> StoreResult<bool> {
        Ok(sessions::create(&self.db, organization, member, &session).await?)
    }

    async fn logins(
        &self,
        organization: OrganizationId,
        member: MemberId,
        now: Timestamp,
    ) -> StoreResult<Vec<MemberLogin>> {
        Ok(sessions::of_member(&self.db, organization, member, now).await?)
    }

    async fn end_logins(
        &self,
        organization: OrganizationId,
        member: MemberId,
        login: Option<LoginId>,
    ) -> StoreResult<u64> {
        Ok(sessions::end_of_member(&self.db, organization, member, login).await?)
    }

    async fn session_by_token(&self, token: [u8; 32], now: Timestamp) -> StoreResult<Option<ConsoleSession>> {
        Ok(sessions::by_token(&self.db, token, now).await?)
    }

    async fn end_session(&self, token: [u8; 32]) -> StoreResult<()> {
        Ok(sessions::end(&self.db, token).await?)
    }

    async fn create_api_key(
        &self,
        key: ApiKey,
        secret: [u8; 32],
        idempotency: Option<IdempotencyRecord>,
    ) -> StoreResult<Result<Created<()>, Refusal>> {
        Ok(api_keys::create(&self.db, &key, secret, idempotency.as_ref()).await?)
    }

    async fn api_keys(&self, organization: OrganizationId, page: PageRequest) -> StoreResult<Page<ApiKey>> {
        Ok(api_keys::list(&self.reports, organization, page).await?)
    }

    async fn api_key_by_secret(&self, secret: [u8; 32]) -> StoreResult<Option<ApiKey>> {
        Ok(api_keys::by_secret(&self.db, secret).await?)
    }

    async fn revoke_api_key(
        &self,
        organization: OrganizationId,
        key: ApiKeyId,
        by_itself: bool,
        now: Timestamp,
    ) -> StoreResult<Result<(), Refusal>> {
        Ok(api_keys::revoke(&self.db, &*self.environment, organization, key, by_itself, now).await?)
    }

    async fn audit_lines(&self, organization: OrganizationId, page: PageRequest) -> StoreResult<Page<AuditLine>> {
        Ok(audit::list(&self.reports, organization, page).await?)
    }
}
