//! An organizer publishes, pauses, opens or closes an event.

use voelgoed_domain::catalog::event::{Event, EventAct, EventState};
use voelgoed_domain::machine::Machine;
use voelgoed_domain::refusal::{Code, Refusal};

use crate::accounts::audit;
use crate::error::Result;
use crate::platform::Platform;
use crate::ticketing::ports::EventScope;

/// Does it to the event; an event cannot be published before something is sold for it.
///
/// # Errors
/// `wrong_state`, `not_found`.
pub async fn move_event(platform: &Platform, scope: EventScope, act: EventAct) -> Result<Event> {
    let listing = platform.listings.listing(scope).await?;
    if act == EventAct::Publish && listing.ticket_types.is_empty() {
        return Err(Refusal::new(Code::WrongState, "Add a ticket type before publishing the event.").into());
    }
    audit::subject(scope.event);
    let to = listing.event.state.after(act)?;
    let from: Vec<EventState> = EventState::sources(act).collect();
    platform.catalog.move_event(scope.organization, scope.event, &from, to, platform.environment.now()).await??;
    platform.listings.changed(scope.organization, scope.event);
    Ok(platform.listings.listing(scope).await?.event.clone())
}
