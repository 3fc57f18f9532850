//! Sets which seats of a layout are accessible, for companions, or with a restricted view, also while events sell them.

use std::sync::Arc;

use voelgoed_domain::catalog::layout::{Layout, SeatFlag};
use voelgoed_domain::ids::{LayoutId, OrganizationId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use super::Catalog;
use super::ports::StoredLayout;
use crate::error::CommandResult;

/// Attempts of a change when concurrent changes of the same layout come first.
const ATTEMPTS_MAX: usize = 5;

/// A request to set the flags of seats.
#[derive(Debug, Clone)]
pub struct SetLayoutFlags {
    /// The layout.
    pub layout: LayoutId,
    /// The seats by their numbers.
    pub places: Vec<PlaceNumber>,
    /// More seats, by the labels on their tickets.
    pub labels: Vec<String>,
    /// All flags of each of these seats from now on.
    pub flags: Vec<SeatFlag>,
}

impl Catalog {
    /// Sets the flags for the maps, listings and choices of every event with this layout; holds and orders stay.
    ///
    /// # Errors
    /// `not_found`, `invalid_request` with the field, `try_again`.
    pub async fn set_layout_flags(
        &self,
        organization: OrganizationId,
        command: SetLayoutFlags,
    ) -> CommandResult<StoredLayout> {
        for _ in 0..ATTEMPTS_MAX {
            let stored = self.store.read_layout(organization, command.layout).await?;
            let stored = stored.ok_or_else(Refusal::not_found)?;
            let mut places = command.places.clone();
            places.extend(stored.layout.places_labelled(&command.labels)?);
            let changed = Arc::new(stored.layout.with_flags(&places, command.flags.clone())?);
            let flags_of = |layout: &Layout, place| layout.seat(place).map(|found| found.seat.flags.clone());
            if places.iter().all(|place| flags_of(&changed, *place) == flags_of(&stored.layout, *place)) {
                return Ok(stored);
            }
            let now = self.context.now();
            if let Some(events) = self.store.set_layout_flags(organization, command.layout, &changed, now).await? {
                events.into_iter().for_each(|event| self.listings.revalidate(organization, event));
                return Ok(StoredLayout { layout: changed, ..stored });
            }
        }
        Err(Refusal::new(
            Code::TryAgain,
            "Concurrent requests changed this layout; nothing was changed by this one. Try again.",
        )
        .into())
    }
}
