//! Applies the decisions of cold to the warm tier (P1, P4, P8).
//!
//! Never: an acknowledgement of an effect that warm answered `unloaded`; the effect is repeated after a rebuild.

use std::sync::Arc;

use async_trait::async_trait;

use voelgoed_domain::refusal::Code;

use crate::error::CommandError;
use crate::outbox::consumer::{ConsumeError, OutboxConsumer};
use crate::outbox::event::{OutboxEvent, OutboxRow};
use crate::ticketing::load_event::{LoadEvent, load_and_retry};
use crate::ticketing::ports::{EventScope, InventoryStore};

/// Consumes changes of places and tickets.
pub struct WarmEffects {
    /// The warm inventory.
    pub inventory: Arc<dyn InventoryStore>,
    /// Loads an event that the warm tier does not have.
    pub loader: Arc<dyn LoadEvent>,
}

#[async_trait]
impl OutboxConsumer for WarmEffects {
    fn name(&self) -> &'static str {
        "warm"
    }

    async fn consume(&self, row: &OutboxRow) -> Result<(), ConsumeError> {
        let scope = |event| EventScope { organization: row.organization, event };
        let applied = match &row.outbox_event {
            OutboxEvent::PlacesChanged { event, claimed_by, effects } => {
                let scope = scope(*event);
                let apply = || self.inventory.apply(scope, *claimed_by, effects);
                load_and_retry(&*self.loader, scope, apply).await.map(drop)
            }
            OutboxEvent::TicketAdmitted { event, ticket } => {
                let scope = scope(*event);
                load_and_retry(&*self.loader, scope, || self.inventory.mark_admitted(scope, *ticket)).await
            }
            OutboxEvent::TicketsRevoked { event, tickets } => {
                let scope = scope(*event);
                load_and_retry(&*self.loader, scope, || self.inventory.mark_revoked(scope, tickets)).await
            }
            OutboxEvent::OrderChanged { .. }
            | OutboxEvent::ListingChanged { .. }
            | OutboxEvent::CredentialRevoked { .. } => Ok(()),
        };
        match applied {
            // The event was a draft and was deleted with its places.
            Err(CommandError::Refused(refusal)) if refusal.code == Code::NotFound => Ok(()),
            applied => applied.map_err(|error| ConsumeError::RetryLater(error.to_string())),
        }
    }
}
