//! Who calls: API keys, device keys and console logins, cached on this node for a few seconds so that a sale or a gate does not touch cold (P11).
//!
//! A revocation is known here at once, on other nodes once the outbox tells of it, at the latest after the cache's age.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use voelgoed_domain::ids::{ApiKeyId, DeviceId, OrganizationId};

use super::ports::{ApiKey, ConsoleSession};
use crate::error::Result;
use crate::scanning::ports::{Device, Gate};
use crate::ticketing::ports::EventScope;

/// The node's cache of credentials; all are looked up by the SHA-256 of the secret.
#[async_trait]
pub trait Credentials: Send + Sync + 'static {
    /// The API key, unless it is unknown or revoked.
    async fn api_key(&self, secret: [u8; 32]) -> Result<Option<Arc<ApiKey>>>;
    /// The device, unless it is unknown or revoked.
    async fn device(&self, key: [u8; 32]) -> Result<Option<Arc<Device>>>;
    /// The login, unless it is unknown or over.
    async fn login(&self, token: [u8; 32]) -> Result<Option<Arc<ConsoleSession>>>;
    /// An event's gates.
    async fn gates(&self, scope: EventScope) -> Result<Arc<Vec<Gate>>>;
    /// Whose secret it is, where this node knows that already.
    fn known(&self, secret: [u8; 32]) -> Option<KnownCredential>;
    /// Whether this node knows the secret already, as anybody's: then asking for it is no guess.
    fn knows(&self, secret: [u8; 32]) -> bool {
        self.known(secret).is_some()
    }
    /// Forgets one secret: it is read anew at its next use.
    fn forget(&self, secret: [u8; 32]);
    /// Credentials or gates of one organization may have changed: each is read anew before it counts, and counts as it stood while it cannot be read.
    fn changed(&self, organization: OrganizationId);
    /// This one is refused from now on, whether or not the store can be asked.
    fn revoked(&self, organization: OrganizationId, revoked: &RevokedCredential);
    /// The login of this token is over, whether or not the store can be asked.
    fn login_ended(&self, token: [u8; 32]);
    /// Any of them may have changed unheard: as [`Self::changed`], for all organizations.
    fn revalidate_all(&self);
}

/// A credential that a node has cached.
#[derive(Debug, Clone)]
pub enum KnownCredential {
    /// An organizer's key.
    ApiKey(Arc<ApiKey>),
    /// An organizer's login.
    Login(Arc<ConsoleSession>),
    /// A scanner's key.
    Device,
}

/// A credential that no longer counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokedCredential {
    /// An API key.
    ApiKey(ApiKeyId),
    /// A scanning device.
    Device(DeviceId),
}
