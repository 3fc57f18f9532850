//! Publishes, pauses, opens or closes an event by a transition of its state machine.

use voelgoed_domain::catalog::event::{Event, EventState, EventTransition};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::state_machine::StateMachine;

use super::Catalog;
use crate::accounts::audit;
use crate::error::CommandResult;
use crate::ticketing::ports::EventScope;

impl Catalog {
    /// Moves the event to its next state. An event without ticket types cannot be published.
    ///
    /// # Errors
    /// `wrong_state`, `not_found`.
    pub async fn transition_event(&self, scope: EventScope, transition: EventTransition) -> CommandResult<Event> {
        let listing = self.listings.listing(scope).await?;
        if transition == EventTransition::Publish && listing.ticket_types.is_empty() {
            return Err(Refusal::new(Code::WrongState, "Add a ticket type before publishing the event.").into());
        }
        audit::set_subject(scope.event);
        let to = listing.event.state.after(transition)?;
        let from: Vec<EventState> = EventState::sources(transition).collect();
        self.store.transition_event(scope.organization, scope.event, &from, to, self.context.now()).await??;
        self.listings.revalidate(scope.organization, scope.event);
        Ok(self.listings.listing(scope).await?.event.clone())
    }
}
