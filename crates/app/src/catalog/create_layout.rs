//! Creates the next version of a venue's seating plan.

use std::sync::Arc;

use voelgoed_domain::catalog::layout::{AreaDraft, Layout};
use voelgoed_domain::ids::{OrganizationId, VenueId};
use voelgoed_domain::refusal::Code;

use super::Catalog;
use super::ports::StoredLayout;
use crate::accounts::audit;
use crate::error::CommandResult;
use crate::idempotency::{Created, Idempotent, record_of};

/// Attempts to write a layout when concurrent layouts of the same venue take its version.
const ATTEMPTS_MAX: u32 = 5;

impl Catalog {
    /// Writes the next version of the venue's plan.
    ///
    /// # Errors
    /// `invalid_layout` with the field, `not_found` (venue).
    pub async fn create_layout(
        &self,
        organization: OrganizationId,
        venue: VenueId,
        areas: Vec<AreaDraft>,
        idempotent: Option<Idempotent<'_, StoredLayout>>,
    ) -> CommandResult<Created<StoredLayout>> {
        let layout = Arc::new(Layout::build(areas)?);
        let now = self.context.now();
        let mut stored = StoredLayout { id: self.context.new_id(), venue, version: 0, layout, created_at: now };
        audit::set_subject(stored.id);
        let mut attempts = 0..ATTEMPTS_MAX;
        loop {
            // The stored answer contains the version, so the version is read before the commit.
            stored.version = self.store.newest_layout(organization, venue).await? + 1;
            let record = record_of(idempotent.as_ref(), &stored, now)?;
            match self.store.create_layout(organization, stored.clone(), record).await? {
                Err(refusal) if refusal.code == Code::TryAgain && attempts.next().is_some() => {}
                created => return Ok(created?.map(|_| stored)),
            }
        }
    }
}
