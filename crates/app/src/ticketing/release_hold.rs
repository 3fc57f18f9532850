//! Releases a hold and frees its places; a repeat changes nothing (P4).

use voelgoed_domain::ids::HoldId;
use voelgoed_domain::refusal::Code;
use voelgoed_telemetry::metrics::ticketing::{HoldEnd, holds_ended};

use super::Ticketing;
use super::load_event::load_and_retry;
use super::ports::EventScope;
use crate::error::{CommandError, CommandResult};

impl Ticketing {
    /// Frees the hold's places.
    ///
    /// # Errors
    /// `already_ordered`, `try_again`.
    pub async fn release_hold(&self, scope: EventScope, hold: HoldId) -> CommandResult<()> {
        match load_and_retry(&*self.loader, scope, || self.inventory.release(scope, hold)).await {
            Err(CommandError::Refused(refusal))
                if matches!(refusal.code, Code::HoldExpired | Code::HoldLost | Code::NotFound) =>
            {
                Ok(())
            }
            released => {
                if released.is_ok() {
                    holds_ended(HoldEnd::Released, 1);
                }
                released.map_err(|refused| self.context.with_order_token(scope, refused))
            }
        }
    }
}
