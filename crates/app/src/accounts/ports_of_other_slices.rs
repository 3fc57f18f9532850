//! Implements scanning's port [`GateDirectory`] over the cache of credentials.

use std::sync::Arc;

use async_trait::async_trait;

use super::credentials::Credentials;
use crate::error::CommandResult;
use crate::scanning::ports::{Gate, GateDirectory};
use crate::ticketing::ports::EventScope;

#[async_trait]
impl<C: Credentials> GateDirectory for C {
    async fn gates(&self, scope: EventScope) -> CommandResult<Arc<Vec<Gate>>> {
        Credentials::gates(self, scope).await
    }

    fn invalidate_key(&self, key: [u8; 32]) {
        self.invalidate(key);
    }
}
