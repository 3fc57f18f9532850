//! The organizer keeps places back, or gives them back to the sale: cold decides, the outbox tells the warm tier.

use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::text::lines;
use voelgoed_domain::ticketing::place::PlaceNumber;

use super::ports::{Block, EventScope};
use crate::error::Result;
use crate::idempotency::{Created, Idempotent, record_of};
use crate::platform::Platform;

/// The most places of one call.
pub const MOST_PLACES: usize = 5_000;
/// The longest reason, in characters.
pub const LONGEST_REASON: usize = 200;

/// Keeps places back, all or nothing.
///
/// # Errors
/// `invalid_request`, `place_taken` with the places that are claimed, sold or blocked already.
pub async fn block(
    platform: &Platform,
    scope: EventScope,
    mut places: Vec<PlaceNumber>,
    reason: String,
    idempotent: Option<Idempotent<'_, ()>>,
) -> Result<Created<()>> {
    check_places(platform, scope, &mut places).await?;
    let reason = lines("reason", &reason, LONGEST_REASON)?;
    let block = Block { id: platform.environment.uuid(), places, reason };
    let record = record_of(idempotent.as_ref(), &(), platform.environment.now())?;
    Ok(platform.places.block(scope.organization, scope.event, block, record).await??)
}

/// Gives blocked places back; those that are not blocked are left alone. Returns the places given back.
///
/// # Errors
/// `invalid_request`.
pub async fn unblock(platform: &Platform, scope: EventScope, mut places: Vec<PlaceNumber>) -> Result<Vec<PlaceNumber>> {
    check_places(platform, scope, &mut places).await?;
    Ok(platform.places.unblock(scope.organization, scope.event, &places).await?)
}

async fn check_places(platform: &Platform, scope: EventScope, places: &mut Vec<PlaceNumber>) -> Result<()> {
    if places.is_empty() || places.len() > MOST_PLACES {
        return Err(Refusal::invalid("places", format!("Name 1 to {MOST_PLACES} places.")).into());
    }
    places.sort_unstable();
    places.dedup();
    let count = platform.listings.listing(scope).await?.layout.place_count();
    match places.last() {
        Some(last) if last.0 >= count => {
            Err(Refusal::invalid("places", format!("This event has places 0 to {}.", count - 1)).into())
        }
        _ => Ok(()),
    }
}
