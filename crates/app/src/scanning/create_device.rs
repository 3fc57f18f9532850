//! Creates a scanning device with a one-time pairing code, by which the device gets its key.

use std::time::Duration;

use voelgoed_domain::accounts::names;
use voelgoed_domain::accounts::pairing_code::{PAIRING_CODE_BYTES, encode_pairing_code};
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::accounts::scope_checks::require_scope;
use voelgoed_domain::ids::GateId;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use super::Scanning;
use super::ports::Device;
use crate::accounts::audit;
use crate::error::CommandResult;
use crate::idempotency::{Created, Idempotent, record_of};
use crate::ticketing::ports::EventScope;
use crate::token::fingerprint;

/// The life of a pairing code.
pub const PAIRING_CODE_TTL: Duration = Duration::from_secs(24 * 3600);

/// A new device with its pairing code.
#[derive(Debug, Clone)]
pub struct NewDevice {
    /// The device.
    pub device: Device,
    /// The code to enter on the device, shown once.
    pub pairing_code: String,
    /// The end of the pairing code.
    pub pairing_ends: Timestamp,
}

impl Scanning {
    /// Writes the device.
    ///
    /// # Errors
    /// `invalid_request`, `missing_scope` if the granter may not scan, `not_found` (event), `quota_reached`.
    pub async fn create_device(
        &self,
        scope: EventScope,
        granter: &[Scope],
        name: &str,
        gates: Vec<GateId>,
        idempotent: Option<Idempotent<'_, NewDevice>>,
    ) -> CommandResult<Created<NewDevice>> {
        // The device scans with its own key, so only a caller that may scan can create one.
        require_scope(granter, Scope::Scanning)?;
        let name = names::display_name("name", name)?;
        self.listings.listing(scope).await?;
        let existing = self.store.gates(scope.organization, scope.event).await?;
        if gates.is_empty() || gates.iter().any(|gate| existing.iter().all(|other| other.id != *gate)) {
            return Err(Refusal::invalid("gates", "Name at least one gate of this event.").into());
        }
        let now = self.context.now();
        let device = Device {
            id: self.context.new_id(),
            organization: scope.organization,
            event: scope.event,
            name,
            gates,
            paired_at: None,
            revoked_at: None,
        };
        let mut random = [0; PAIRING_CODE_BYTES];
        random.copy_from_slice(&self.context.environment.random()[..PAIRING_CODE_BYTES]);
        let new =
            NewDevice { device, pairing_code: encode_pairing_code(&random), pairing_ends: now.plus(PAIRING_CODE_TTL) };
        audit::set_subject(new.device.id);
        let record = record_of(idempotent.as_ref(), &new, now)?;
        let pairing = fingerprint(&new.pairing_code);
        let written =
            self.store.create_device(scope.organization, new.device.clone(), pairing, new.pairing_ends, record);
        Ok(written.await??.map(|()| new))
    }
}
