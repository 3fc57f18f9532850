//! What a scanner needs to go on without a network: keys, gates, the event's times, and the tickets that no longer admit.

use voelgoed_domain::catalog::admission::AdmissionWindow;
use voelgoed_domain::catalog::event::Event;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::{TicketId, TicketTypeId};
use voelgoed_domain::scanning::code::TicketSigner;
use voelgoed_domain::time::Timestamp;

use super::codes::signer;
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
    /// When tickets admit now, where their type has no window of its own.
    pub window: AdmissionWindow,
    /// Ticket types with a window of their own.
    pub windows: Vec<TypeWindow>,
    /// Where the device may scan.
    pub gates: Vec<Gate>,
    /// Tickets that no longer admit.
    pub revoked: Vec<TicketId>,
    /// Tickets that have admitted.
    pub admitted: Vec<TicketId>,
    /// The moment of the answer.
    pub now: Timestamp,
}

/// A ticket type with a window of its own.
pub struct TypeWindow {
    /// The ticket type.
    pub ticket_type: TicketTypeId,
    /// When its tickets admit.
    pub window: AdmissionWindow,
    /// Its tickets.
    pub tickets: Vec<TicketId>,
}

/// Tickets that a package lists by the window of their type; a scanner asks the server about others.
pub const WINDOW_TICKETS_MAX: u32 = 20_000;

/// The package of a device.
///
/// # Errors
/// A fault of the cold tier.
pub async fn package(platform: &Platform, device: &Device) -> Result<Package> {
    let scope = EventScope { organization: device.organization, event: device.event };
    let listing = platform.listings.listing(scope).await?;
    let windows = type_windows(platform, scope, &listing).await?;
    let cold = platform.places.read_inventory(scope.organization, scope.event).await?;
    Ok(Package {
        window: listing.event.admission_window(),
        windows,
        event: listing.event.clone(),
        signer: signer(&platform.master, scope.organization),
        gates: gates_of(platform, device).await?,
        revoked: cold.revoked,
        admitted: cold.admitted,
        now: platform.environment.now(),
    })
}

async fn type_windows(platform: &Platform, scope: EventScope, listing: &Listing) -> Result<Vec<TypeWindow>> {
    let own = listing.admissions().types;
    if own.is_empty() {
        return Ok(Vec::new());
    }
    let types: Vec<TicketTypeId> = own.iter().map(|(id, _)| *id).collect();
    let found = platform.scans.tickets_of_types(scope.organization, scope.event, &types, WINDOW_TICKETS_MAX).await?;
    let tickets = |of: TicketTypeId| found.iter().filter(|(id, _)| *id == of).map(|(_, ticket)| *ticket).collect();
    let windows = own.into_iter().map(|(id, window)| TypeWindow { ticket_type: id, window, tickets: tickets(id) });
    Ok(windows.collect())
}
