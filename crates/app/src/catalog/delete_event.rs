//! Deletes a draft with its ticket types, price rules, gates, devices and blocks.

use super::Catalog;
use crate::error::CommandResult;
use crate::ticketing::ports::EventScope;

impl Catalog {
    /// Deletes the draft.
    ///
    /// # Errors
    /// `wrong_state` for an event that was ever published, `not_found`.
    pub async fn delete_event(&self, scope: EventScope) -> CommandResult<()> {
        let now = self.context.now();
        self.store.delete_event(scope.organization, scope.event, now).await??;
        self.listings.revalidate(scope.organization, scope.event);
        Ok(())
    }
}
