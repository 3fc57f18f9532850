//! What a scanner needs to go on without a network: keys, gates, the event's times, and the tickets that no longer admit.

use voelgoed_domain::catalog::event::Event;
use voelgoed_domain::ids::TicketId;
use voelgoed_domain::scanning::code::TicketSigner;
use voelgoed_domain::time::Timestamp;

use super::codes::{signer, validity};
use super::pair_device::gates_of;
use super::ports::{Device, Gate};
use crate::error::Result;
use crate::platform::Platform;
use crate::ticketing::ports::EventScope;

/// The offline package.
pub struct Package {
    /// The event.
    pub event: Event,
    /// Whose codes are believed.
    pub signer: TicketSigner,
    /// When tickets admit.
    pub validity: (Timestamp, Timestamp),
    /// Where the device may scan.
    pub gates: Vec<Gate>,
    /// Tickets that no longer admit.
    pub revoked: Vec<TicketId>,
    /// Tickets that have admitted.
    pub admitted: Vec<TicketId>,
    /// The moment of the answer.
    pub now: Timestamp,
}

/// The package of a device.
///
/// # Errors
/// A fault of the cold tier.
pub async fn package(platform: &Platform, device: &Device) -> Result<Package> {
    let scope = EventScope { organization: device.organization, event: device.event };
    let event = platform.listings.listing(scope).await?.event.clone();
    let cold = platform.places.read_inventory(scope.organization, scope.event).await?;
    Ok(Package {
        validity: validity(&event),
        event,
        signer: signer(&platform.master, scope.organization),
        gates: gates_of(platform, device).await?,
        revoked: cold.revoked,
        admitted: cold.admitted,
        now: platform.environment.now(),
    })
}
