//! Who calls: API keys, device keys and console logins, cached on this node for a few seconds so that a sale or a gate does not touch cold (P11).
//!
//! A revocation is forgotten here at once, on other nodes after the cache's age.

use std::sync::Arc;

use async_trait::async_trait;

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
    /// Whether this node knows the secret already, as anybody's: then asking for it is no guess.
    fn knows(&self, secret: [u8; 32]) -> bool;
    /// Forgets everything cached; after a revocation or a logout.
    fn forget_all(&self);
}
