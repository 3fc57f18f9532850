//! Tells devices at the gates which tickets were admitted or revoked, and that the listing changed.

use async_trait::async_trait;

use crate::outbox::consumer::{OutboxConsumer, ReadError};
use crate::outbox::event::{OutboxEvent, OutboxRow};
use crate::scanning::watch::{GateSignal, GateWatch};
use crate::ticketing::ports::EventScope;

/// The reader.
pub struct Gates(pub GateWatch);

#[async_trait]
impl OutboxConsumer for Gates {
    fn name(&self) -> &'static str {
        "gates"
    }

    async fn read(&self, row: &OutboxRow) -> Result<(), ReadError> {
        let scope = |event| EventScope { organization: row.organization, event };
        match &row.fact {
            OutboxEvent::TicketAdmitted { event, ticket } => {
                self.0.signal(scope(*event), GateSignal::Admitted(*ticket))
            }
            OutboxEvent::TicketsRevoked { event, tickets } => {
                self.0.signal(scope(*event), GateSignal::Revoked(tickets.clone()))
            }
            OutboxEvent::ListingChanged { event } => self.0.signal(scope(*event), GateSignal::Listing),
            OutboxEvent::PlacesChanged { .. }
            | OutboxEvent::OrderChanged { .. }
            | OutboxEvent::CredentialRevoked { .. } => {}
        }
        Ok(())
    }
}
