//! An organizer adds a gate to an event.

use voelgoed_domain::accounts::identity;
use voelgoed_domain::ids::AreaId;
use voelgoed_domain::refusal::Refusal;

use super::ports::Gate;
use crate::accounts::audit;
use crate::environment::fresh;
use crate::error::Result;
use crate::idempotency::{Created, Idempotent, record_of};
use crate::platform::Platform;
use crate::ticketing::ports::EventScope;

/// Writes the gate; no areas means that it leads to all of them.
///
/// # Errors
/// `invalid_request`, `not_found` (event).
pub async fn create_gate(
    platform: &Platform,
    scope: EventScope,
    name: &str,
    areas: Vec<AreaId>,
    idempotent: Option<Idempotent<'_, Gate>>,
) -> Result<Created<Gate>> {
    let name = identity::name("name", name)?;
    let listing = platform.listings.listing(scope).await?;
    if areas.iter().any(|area| listing.layout.area(*area).is_none()) {
        return Err(Refusal::invalid("areas", "The event has no such area.").into());
    }
    let gate = Gate { id: fresh(&*platform.environment), event: scope.event, name, areas };
    audit::subject(gate.id);
    let record = record_of(idempotent.as_ref(), &gate, platform.environment.now())?;
    let created = platform.scans.create_gate(scope.organization, gate.clone(), record).await??;
    Ok(created.map(|()| gate))
}
