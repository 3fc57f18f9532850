//! Creates a gate of an event.

use voelgoed_domain::accounts::names;
use voelgoed_domain::ids::AreaId;
use voelgoed_domain::refusal::Refusal;

use super::Scanning;
use super::ports::Gate;
use crate::accounts::audit;
use crate::error::CommandResult;
use crate::idempotency::{Created, Idempotent, record_of};
use crate::ticketing::ports::EventScope;

impl Scanning {
    /// Writes the gate; without areas it leads to all areas.
    ///
    /// # Errors
    /// `invalid_request`, `not_found` (event).
    pub async fn create_gate(
        &self,
        scope: EventScope,
        name: &str,
        areas: Vec<AreaId>,
        idempotent: Option<Idempotent<'_, Gate>>,
    ) -> CommandResult<Created<Gate>> {
        let name = names::display_name("name", name)?;
        let listing = self.listings.listing(scope).await?;
        if areas.iter().any(|area| listing.layout.area(*area).is_none()) {
            return Err(Refusal::invalid("areas", "The event has no such area.").into());
        }
        let gate = Gate { id: self.context.new_id(), event: scope.event, name, areas };
        audit::set_subject(gate.id);
        let record = record_of(idempotent.as_ref(), &gate, self.context.now())?;
        let created = self.store.create_gate(scope.organization, gate.clone(), record).await??;
        Ok(created.map(|()| gate))
    }
}
