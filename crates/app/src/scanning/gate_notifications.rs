//! Notifies devices at the gates of admitted and revoked tickets, and of changed listings.

use async_trait::async_trait;

use crate::outbox::consumer::{ConsumeError, OutboxConsumer};
use crate::outbox::event::{OutboxEvent, OutboxRow};
use crate::scanning::gate_signals::{GateSignal, GateWatch};
use crate::ticketing::ports::EventScope;

/// Consumes admissions, revocations and changes of listings.
pub struct GateNotifications(pub GateWatch);

#[async_trait]
impl OutboxConsumer for GateNotifications {
    fn name(&self) -> &'static str {
        "gates"
    }

    async fn consume(&self, row: &OutboxRow) -> Result<(), ConsumeError> {
        let scope = |event| EventScope { organization: row.organization, event };
        match &row.outbox_event {
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
