//! Lists the holds of a buyer's session, so that a buyer who closed the tab finds them again.
//!
//! Never: a hold of another session; each noted hold is read from its event and its session compared (P7).

use futures::future::join_all;
use voelgoed_domain::ids::{HoldId, SessionId};

use super::Ticketing;
use super::hold_view::HoldView;
use super::ports::EventScope;
use crate::error::{CommandError, CommandResult};

impl Ticketing {
    /// The session's holds, newest first; claimed holds are included until they end.
    ///
    /// # Errors
    /// A fault of the warm tier.
    pub async fn session_holds(&self, session: SessionId) -> CommandResult<Vec<HoldView>> {
        self.read_all(session, self.inventory.noted_holds(session).await?).await
    }

    /// The session's holds in one event.
    ///
    /// # Errors
    /// A fault of the warm tier.
    pub async fn session_holds_of(&self, session: SessionId, scope: EventScope) -> CommandResult<Vec<HoldView>> {
        let mut noted = self.inventory.noted_holds(session).await?;
        noted.retain(|(of, _)| *of == scope);
        self.read_all(session, noted).await
    }

    async fn read_all(&self, session: SessionId, noted: Vec<(EventScope, HoldId)>) -> CommandResult<Vec<HoldView>> {
        let reads = noted.into_iter().map(|(scope, hold)| self.read_hold(scope, hold));
        let mut held = Vec::new();
        for read in join_all(reads).await {
            match read {
                Ok(view) if view.record.session == session => held.push(view),
                // Ended, or noted for a hold that was not granted.
                Ok(_) | Err(CommandError::Refused(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(held)
    }
}
