//! Finds the holds of a buyer's session, so that a closed tab loses nothing.
//!
//! Never: a hold of another session; what the notes name is read from its event and compared (P7).

use futures::future::join_all;
use voelgoed_domain::ids::{HoldId, SessionId};

use super::ports::EventScope;
use super::read_hold::read_hold;
use super::terms::HoldView;
use crate::error::{Error, Result};
use crate::platform::Platform;

/// The session's holds that live, newest first; claimed ones are among them until they end.
///
/// # Errors
/// A fault, where the warm tier does not answer.
pub async fn session_holds(platform: &Platform, session: SessionId) -> Result<Vec<HoldView>> {
    read_all(platform, session, platform.inventory.noted_holds(session).await?).await
}

/// The same of one event.
///
/// # Errors
/// A fault, where the warm tier does not answer.
pub async fn session_holds_of(platform: &Platform, session: SessionId, scope: EventScope) -> Result<Vec<HoldView>> {
    let mut noted = platform.inventory.noted_holds(session).await?;
    noted.retain(|(of, _)| *of == scope);
    read_all(platform, session, noted).await
}

async fn read_all(platform: &Platform, session: SessionId, noted: Vec<(EventScope, HoldId)>) -> Result<Vec<HoldView>> {
    let reads = noted.into_iter().map(|(scope, hold)| read_hold(platform, scope, hold));
    let mut held = Vec::new();
    for read in join_all(reads).await {
        match read {
            Ok(view) if view.record.session == session => held.push(view),
            // Over, or noted for a hold that was never granted.
            Ok(_) | Err(Error::Refused(_)) => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(held)
}
