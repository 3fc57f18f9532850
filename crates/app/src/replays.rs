//! Answers a request that is refused now with the stored answer of the same request, if there is one (P3).
//!
//! Never: a read of cold while cold is unavailable.

use std::sync::Arc;

use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::refusal::Code;
use voelgoed_resilience::{Dependency, DependencyHealth};

use crate::context::Context;
use crate::error::{CommandError, CommandResult, StoreResult};
use crate::idempotency::{Created, IdempotencyKey, IdempotencyRecord, IdempotencyStore, replay};

/// Replays stored answers to requests that are refused now.
#[derive(Clone)]
pub struct Replays {
    /// The capability table and the clock.
    pub context: Context,
    /// The stored answers.
    pub store: Arc<dyn IdempotencyStore>,
}

impl Replays {
    /// The stored record of a key.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn find(
        &self,
        organization: OrganizationId,
        key: &IdempotencyKey,
    ) -> StoreResult<Option<IdempotencyRecord>> {
        self.store.find(organization, key, self.context.now()).await
    }

    /// Answers a request that is refused now with the stored answer of the same request, even if the order or sale has changed since.
    ///
    /// # Errors
    /// `refused` if no answer is stored; [`Code::IdempotencyMismatch`] if the key was used with another request.
    pub async fn replay_or<T>(
        &self,
        organization: OrganizationId,
        key: &IdempotencyKey,
        refused: CommandError,
    ) -> CommandResult<Created<T>> {
        let may_be_stored = match &refused {
            CommandError::Refused(refusal) => refusal.code != Code::IdempotencyMismatch,
            CommandError::Fault(_) => false,
        };
        if !may_be_stored || self.context.capabilities.health(Dependency::Cold) != DependencyHealth::Up {
            return Err(refused);
        }
        match self.find(organization, key).await? {
            Some(stored) => replay(stored, &key.request),
            None => Err(refused),
        }
    }
}
