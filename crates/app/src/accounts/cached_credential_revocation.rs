//! Revokes a credential in this node's cache after another node or a command revoked it in cold.

use std::sync::Arc;

use async_trait::async_trait;

use super::credentials::Credentials;
use crate::outbox::consumer::{ConsumeError, OutboxConsumer};
use crate::outbox::event::{OutboxEvent, OutboxRow};

/// Consumes revocations of credentials.
pub struct CachedCredentialRevocation(pub Arc<dyn Credentials>);

#[async_trait]
impl OutboxConsumer for CachedCredentialRevocation {
    fn name(&self) -> &'static str {
        "credentials"
    }

    async fn consume(&self, row: &OutboxRow) -> Result<(), ConsumeError> {
        if let OutboxEvent::CredentialRevoked { revoked } = &row.outbox_event {
            self.0.revoke(row.organization, revoked);
        }
        Ok(())
    }
}
