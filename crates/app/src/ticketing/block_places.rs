//! Blocks and unblocks places for the organizer: cold decides, and the outbox carries the change to the warm tier.

use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::text::multi_line;
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use super::Ticketing;
use super::ports::{Block, EventScope};
use crate::error::CommandResult;
use crate::idempotency::{Created, Idempotent, record_of};

/// Places of one request.
pub const PLACES_PER_BLOCK_MAX: usize = 5_000;
/// The limit of a reason.
pub const REASON_CHARS_MAX: usize = 200;

impl Ticketing {
    /// Blocks places, all or nothing.
    ///
    /// # Errors
    /// `invalid_request`, `place_taken` with the places that are claimed, sold or blocked.
    pub async fn block(
        &self,
        scope: EventScope,
        mut places: Vec<PlaceNumber>,
        reason: String,
        idempotent: Option<Idempotent<'_, ()>>,
    ) -> CommandResult<Created<()>> {
        self.check_places(scope, &mut places).await?;
        let reason = multi_line("reason", &reason, REASON_CHARS_MAX)?;
        let block = Block { id: self.context.environment.uuid(), places, reason };
        let record = record_of(idempotent.as_ref(), &(), self.context.now())?;
        Ok(self.places.block(scope.organization, scope.event, block, record).await??)
    }

    /// Unblocks places and ignores places that are not blocked. Returns the unblocked places.
    ///
    /// # Errors
    /// `invalid_request`.
    pub async fn unblock(&self, scope: EventScope, mut places: Vec<PlaceNumber>) -> CommandResult<Vec<PlaceNumber>> {
        self.check_places(scope, &mut places).await?;
        Ok(self.places.unblock(scope.organization, scope.event, &places).await?)
    }

    async fn check_places(&self, scope: EventScope, places: &mut Vec<PlaceNumber>) -> CommandResult<()> {
        if places.is_empty() || places.len() > PLACES_PER_BLOCK_MAX {
            return Err(Refusal::invalid("places", format!("Name 1 to {PLACES_PER_BLOCK_MAX} places.")).into());
        }
        places.sort_unstable();
        places.dedup();
        let count = self.listings.listing(scope).await?.layout.place_count();
        match places.last() {
            Some(last) if last.0 >= count => {
                Err(Refusal::invalid("places", format!("This event has places 0 to {}.", count - 1)).into())
            }
            _ => Ok(()),
        }
    }
}
