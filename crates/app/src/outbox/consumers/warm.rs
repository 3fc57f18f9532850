//! Carries what cold decided over to the warm tier; an effect that was answered `unloaded` is repeated after a rebuild, never acknowledged (P1, P4, P8).

use std::sync::Arc;

use async_trait::async_trait;

use voelgoed_domain::refusal::Code;
use voelgoed_planted::{Bug, planted};

use crate::error::Error;
use crate::outbox::consumer::{OutboxConsumer, ReadError};
use crate::outbox::event::{OutboxEvent, OutboxRow};
use crate::platform::Platform;
use crate::ticketing::ports::EventScope;
use crate::ticketing::rebuild::loaded;

/// The reader.
pub struct Warm(pub Arc<Platform>);

#[async_trait]
impl OutboxConsumer for Warm {
    fn name(&self) -> &'static str {
        "warm"
    }

    async fn read(&self, row: &OutboxRow) -> Result<(), ReadError> {
        let platform = &*self.0;
        let scope = |event| EventScope { organization: row.organization, event };
        let carried = match &row.fact {
            OutboxEvent::PlacesChanged { event, claimed_by, effects } => {
                let scope = scope(*event);
                let apply = || platform.inventory.apply(scope, *claimed_by, effects);
                if planted(Bug::UnloadedAcknowledged) {
                    drop(apply().await);
                    return Ok(());
                }
                loaded(platform, scope, apply).await.map(drop)
            }
            OutboxEvent::TicketAdmitted { event, ticket } => {
                let scope = scope(*event);
                loaded(platform, scope, || platform.inventory.mark_admitted(scope, *ticket)).await
            }
            OutboxEvent::TicketsRevoked { event, tickets } => {
                let scope = scope(*event);
                loaded(platform, scope, || platform.inventory.mark_revoked(scope, tickets)).await
            }
            OutboxEvent::OrderChanged { .. }
            | OutboxEvent::ListingChanged { .. }
            | OutboxEvent::CredentialRevoked { .. } => Ok(()),
        };
        match carried {
            // The event was a draft and is deleted: there are no places any more to say it of.
            Err(Error::Refused(refusal)) if refusal.code == Code::NotFound => Ok(()),
            carried => carried.map_err(|error| ReadError::Later(error.to_string())),
        }
    }
}
