//! An organizer says afterwards which seats are accessible, for companions, or with a restricted view; also where an event sells them already.

use std::sync::Arc;

use voelgoed_domain::catalog::layout::{Layout, SeatFlag};
use voelgoed_domain::ids::{LayoutId, OrganizationId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::place::PlaceNumber;

use super::ports::StoredLayout;
use crate::error::Result;
use crate::platform::Platform;

/// A change is made again at most so often when others of the same layout are faster.
const TRIES_MAX: usize = 5;

/// Which seats get which flags.
#[derive(Debug, Clone)]
pub struct SetLayoutFlags {
    /// The layout.
    pub layout: LayoutId,
    /// The seats by their numbers.
    pub places: Vec<PlaceNumber>,
    /// More seats, by what their tickets say.
    pub labels: Vec<String>,
    /// All flags that each of them has from now on.
    pub flags: Vec<SeatFlag>,
}

/// Sets the flags. Maps, listings and choices of every event with this layout have them from now on; what is held or sold stays so.
///
/// # Errors
/// `not_found`, `invalid_request` with the field, `try_again`.
pub async fn set_layout_flags(
    platform: &Platform,
    organization: OrganizationId,
    command: SetLayoutFlags,
) -> Result<StoredLayout> {
    for _ in 0..TRIES_MAX {
        let stored = platform.catalog.read_layout(organization, command.layout).await?;
        let stored = stored.ok_or_else(Refusal::not_found)?;
        let mut places = command.places.clone();
        places.extend(stored.layout.places_labelled(&command.labels)?);
        let changed = Arc::new(stored.layout.with_flags(&places, command.flags.clone())?);
        let flags_of = |layout: &Layout, place| layout.seat(place).map(|found| found.seat.flags.clone());
        if places.iter().all(|place| flags_of(&changed, *place) == flags_of(&stored.layout, *place)) {
            return Ok(stored);
        }
        let now = platform.environment.now();
        if let Some(events) = platform.catalog.set_layout_flags(organization, command.layout, &changed, now).await? {
            events.into_iter().for_each(|event| platform.listings.changed(organization, event));
            return Ok(StoredLayout { layout: changed, ..stored });
        }
    }
    Err(Refusal::new(Code::TryAgain, "Others changed this layout at the same time. Try again.").into())
}
