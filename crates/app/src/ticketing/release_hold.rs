//! A buyer gives places back; repeating it changes nothing (P4).

use voelgoed_domain::ids::HoldId;
use voelgoed_domain::refusal::Code;
use voelgoed_telemetry::metrics::ticketing::{HoldEnd, holds_ended};

use super::ports::EventScope;
use super::rebuild::loaded;
use crate::checkout::read_order::with_token;
use crate::error::{Error, Result};
use crate::platform::Platform;

/// Frees the hold's places.
///
/// # Errors
/// `already_ordered`, `try_again`.
pub async fn release_hold(platform: &Platform, scope: EventScope, hold: HoldId) -> Result<()> {
    match loaded(platform, scope, || platform.inventory.release(scope, hold)).await {
        Err(Error::Refused(refusal)) if matches!(refusal.code, Code::HoldExpired | Code::HoldLost | Code::NotFound) => {
            Ok(())
        }
        released => {
            if released.is_ok() {
                holds_ended(HoldEnd::Released, 1);
            }
            released.map_err(|refused| with_token(platform, scope, refused))
        }
    }
}
