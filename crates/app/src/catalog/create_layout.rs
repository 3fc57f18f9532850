//! An organizer adds a version of a venue's seating plan.

use std::sync::Arc;

use voelgoed_domain::catalog::layout::{AreaDraft, Layout};
use voelgoed_domain::ids::{OrganizationId, VenueId};
use voelgoed_domain::refusal::Code;

use super::ports::StoredLayout;
use crate::accounts::audit;
use crate::environment::fresh;
use crate::error::Result;
use crate::idempotency::{Created, Idempotent, record_of};
use crate::platform::Platform;

/// A layout is written again at most so often where others of its venue come first.
const TRIES_MAX: u32 = 5;

/// Writes the next version of the venue's plan.
///
/// # Errors
/// `invalid_layout` with the field, `not_found` (venue).
pub async fn create_layout(
    platform: &Platform,
    organization: OrganizationId,
    venue: VenueId,
    areas: Vec<AreaDraft>,
    idempotent: Option<Idempotent<'_, StoredLayout>>,
) -> Result<Created<StoredLayout>> {
    let layout = Arc::new(Layout::build(areas)?);
    let now = platform.environment.now();
    let mut stored = StoredLayout { id: fresh(&*platform.environment), venue, version: 0, layout, created_at: now };
    audit::subject(stored.id);
    let mut tries = 0..TRIES_MAX;
    loop {
        // The answer is stored with the layout, so its version is known before.
        stored.version = platform.catalog.newest_layout(organization, venue).await? + 1;
        let record = record_of(idempotent.as_ref(), &stored, now)?;
        match platform.catalog.create_layout(organization, stored.clone(), record).await? {
            Err(refusal) if refusal.code == Code::TryAgain && tries.next().is_some() => {}
            created => return Ok(created?.map(|_| stored)),
        }
    }
}
