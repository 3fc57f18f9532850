//! Changes an event's date, name, doors, end or sale window; its tickets stay valid.

use voelgoed_domain::catalog::event::{Event, EventChange};

use super::Catalog;
use crate::error::CommandResult;
use crate::ticketing::ports::EventScope;

impl Catalog {
    /// Changes the event in any state.
    ///
    /// # Errors
    /// `invalid_request` with the field, `not_found`.
    pub async fn change_event(&self, scope: EventScope, change: EventChange) -> CommandResult<Event> {
        let now = self.context.now();
        let event = self.store.change_event(scope.organization, scope.event, change, now).await??;
        self.listings.revalidate(scope.organization, scope.event);
        Ok(event)
    }
}
