//! An organizer adds a scanner; it gets its key by a one-time pairing code.

use std::time::Duration;

use voelgoed_domain::accounts::identity;
use voelgoed_domain::accounts::scope::{Scope, need};
use voelgoed_domain::accounts::secret::{PAIRING_BYTES, write_pairing_code};
use voelgoed_domain::ids::GateId;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use super::ports::Device;
use crate::accounts::audit;
use crate::environment::fresh;
use crate::error::Result;
use crate::idempotency::{Created, Idempotent, record_of};
use crate::platform::Platform;
use crate::ticketing::ports::EventScope;
use crate::token::fingerprint;

/// How long a pairing code can be used.
pub const PAIRING_LASTS: Duration = Duration::from_secs(24 * 3600);
/// A device with its pairing code, as it is answered once.
#[derive(Debug, Clone)]
pub struct NewDevice {
    /// The device.
    pub device: Device,
    /// What is typed into the scanner.
    pub pairing_code: String,
    /// Until when.
    pub pairing_ends: Timestamp,
}

/// Writes the device.
///
/// # Errors
/// `invalid_request`, `missing_scope` where whoever asks may not scan, `not_found` (event), `quota_reached`.
pub async fn create_device(
    platform: &Platform,
    scope: EventScope,
    granter: &[Scope],
    name: &str,
    gates: Vec<GateId>,
    idempotent: Option<Idempotent<'_, NewDevice>>,
) -> Result<Created<NewDevice>> {
    // A device scans with its own key, so it is given by nobody who may not.
    need(granter, Scope::Scanning)?;
    let name = identity::name("name", name)?;
    platform.listings.listing(scope).await?;
    let known = platform.scans.gates(scope.organization, scope.event).await?;
    if gates.is_empty() || gates.iter().any(|gate| known.iter().all(|known| known.id != *gate)) {
        return Err(Refusal::invalid("gates", "Name at least one gate of this event.").into());
    }
    let now = platform.environment.now();
    let device = Device {
        id: fresh(&*platform.environment),
        organization: scope.organization,
        event: scope.event,
        name,
        gates,
        paired_at: None,
        revoked_at: None,
    };
    let mut random = [0; PAIRING_BYTES];
    random.copy_from_slice(&platform.environment.random()[..PAIRING_BYTES]);
    let new = NewDevice { device, pairing_code: write_pairing_code(&random), pairing_ends: now.plus(PAIRING_LASTS) };
    audit::subject(new.device.id);
    let record = record_of(idempotent.as_ref(), &new, now)?;
    let pairing = fingerprint(&new.pairing_code);
    let written =
        platform.scans.create_device(scope.organization, new.device.clone(), pairing, new.pairing_ends, record);
    Ok(written.await??.map(|()| new))
}
