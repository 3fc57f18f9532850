//! Builds the offline package of a device: key, gates, admission windows, and the tickets that no longer admit.

use voelgoed_domain::catalog::admission_window::AdmissionWindow;
use voelgoed_domain::catalog::event::Event;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::{TicketId, TicketTypeId};
use voelgoed_domain::scanning::code::TicketSigner;
use voelgoed_domain::time::Timestamp;

use super::Scanning;
use super::ports::{Device, Gate};
use super::ticket_codes::signer;
use crate::error::CommandResult;
use crate::ticketing::ports::EventScope;

/// The offline package.
pub struct OfflinePackage {
    /// The event.
    pub event: Event,
    /// The signer whose codes are valid.
    pub signer: TicketSigner,
    /// The current admission window of ticket types without their own.
    pub window: AdmissionWindow,
    /// The ticket types with their own admission window.
    pub windows: Vec<TicketTypeWindow>,
    /// The gates where the device may scan.
    pub gates: Vec<Gate>,
    /// Tickets that no longer admit.
    pub revoked: Vec<TicketId>,
    /// Tickets that have admitted.
    pub admitted: Vec<TicketId>,
    /// The time of the answer.
    pub now: Timestamp,
}

/// A ticket type with its own admission window.
pub struct TicketTypeWindow {
    /// The ticket type.
    pub ticket_type: TicketTypeId,
    /// The window.
    pub window: AdmissionWindow,
    /// The tickets of the type.
    pub tickets: Vec<TicketId>,
}

/// Tickets that a package lists by type; a device asks the server about further ones.
pub const WINDOW_TICKETS_MAX: u32 = 20_000;

impl Scanning {
    /// Builds the package of a device.
    ///
    /// # Errors
    /// A fault of the cold tier.
    pub async fn offline_package(&self, device: &Device) -> CommandResult<OfflinePackage> {
        let scope = EventScope { organization: device.organization, event: device.event };
        let listing = self.listings.listing(scope).await?;
        let windows = self.type_windows(scope, &listing).await?;
        let (revoked, admitted) = self.tickets.revoked_and_admitted(scope).await?;
        Ok(OfflinePackage {
            window: listing.event.admission_window(),
            windows,
            event: listing.event.clone(),
            signer: signer(&self.context.master, scope.organization),
            gates: self.gates_of(device).await?,
            revoked,
            admitted,
            now: self.context.now(),
        })
    }

    async fn type_windows(&self, scope: EventScope, listing: &Listing) -> CommandResult<Vec<TicketTypeWindow>> {
        let own = listing.admissions().types;
        if own.is_empty() {
            return Ok(Vec::new());
        }
        let types: Vec<TicketTypeId> = own.iter().map(|(id, _)| *id).collect();
        let found = self.store.tickets_of_types(scope.organization, scope.event, &types, WINDOW_TICKETS_MAX).await?;
        let tickets = |of: TicketTypeId| found.iter().filter(|(id, _)| *id == of).map(|(_, ticket)| *ticket).collect();
        let windows =
            own.into_iter().map(|(id, window)| TicketTypeWindow { ticket_type: id, window, tickets: tickets(id) });
        Ok(windows.collect())
    }
}
