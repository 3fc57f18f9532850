//! Caches API keys, device keys and console logins on this node for a few seconds, so that a sale or a scan does not read cold (P11).
//!
//! A revocation applies on this node at once, on other nodes when the outbox delivers it, at the latest when the cached entry expires.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use voelgoed_domain::ids::{ApiKeyId, DeviceId, OrganizationId};

use super::ports::{ApiKey, ConsoleSession};
use crate::error::CommandResult;
use crate::scanning::ports::{Device, Gate};
use crate::ticketing::ports::EventScope;

/// The node's cache of credentials; the key is the SHA-256 of the secret.
#[async_trait]
pub trait Credentials: Send + Sync + 'static {
    /// The API key, unless it is unknown or revoked.
    async fn api_key(&self, secret: [u8; 32]) -> CommandResult<Option<Arc<ApiKey>>>;
    /// The device, unless it is unknown or revoked.
    async fn device(&self, key: [u8; 32]) -> CommandResult<Option<Arc<Device>>>;
    /// The login, unless it is unknown or has ended.
    async fn login(&self, token: [u8; 32]) -> CommandResult<Option<Arc<ConsoleSession>>>;
    /// An event's gates.
    async fn gates(&self, scope: EventScope) -> CommandResult<Arc<Vec<Gate>>>;
    /// The cached credential of a secret.
    fn cached(&self, secret: [u8; 32]) -> Option<CachedCredential>;
    /// Whether the secret is cached; then a request with it is not a guess.
    fn is_cached(&self, secret: [u8; 32]) -> bool {
        self.cached(secret).is_some()
    }
    /// Drops one secret, which is read again at its next use.
    fn invalidate(&self, secret: [u8; 32]);
    /// Marks the credentials and gates of one organization as changed: each is read again at its next use; a cached one serves while cold is unavailable.
    fn revalidate(&self, organization: OrganizationId);
    /// Refuses a credential from now on, also while cold is unavailable.
    fn revoke(&self, organization: OrganizationId, revoked: &RevokedCredential);
    /// Refuses the login of this token from now on, also while cold is unavailable.
    fn end_login(&self, token: [u8; 32]);
    /// [`Self::revalidate`] for all organizations, after invalidations may have been lost.
    fn revalidate_all(&self);
}

/// A cached credential.
#[derive(Debug, Clone)]
pub enum CachedCredential {
    /// An organizer's key.
    ApiKey(Arc<ApiKey>),
    /// An organizer's login.
    Login(Arc<ConsoleSession>),
    /// A device's key.
    Device,
}

/// A revoked credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokedCredential {
    /// An API key.
    ApiKey(ApiKeyId),
    /// A scanning device.
    Device(DeviceId),
}
