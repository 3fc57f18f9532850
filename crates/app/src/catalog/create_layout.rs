//! An organizer adds a version of a venue's seating plan.

use std::sync::Arc;

use voelgoed_domain::catalog::layout::{AreaDraft, Layout};
use voelgoed_domain::ids::{OrganizationId, VenueId};

use super::ports::StoredLayout;
use crate::accounts::audit;
use crate::environment::fresh;
use crate::error::Result;
use crate::idempotency::{Created, Idempotent, record_of};
use crate::platform::Platform;

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
    let record = record_of(idempotent.as_ref(), &stored, now)?;
    let created = platform.catalog.create_layout(organization, stored.clone(), record).await??;
    Ok(created.map(|version| {
        stored.version = version;
        stored
    }))
}
