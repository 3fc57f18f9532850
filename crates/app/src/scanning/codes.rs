//! Ticket codes of an organization: derived from the server's secret and never stored; a ticket's code is always the same.

use std::time::Duration;

use voelgoed_domain::catalog::event::Event;
use voelgoed_domain::ids::{OrganizationId, TicketId};
use voelgoed_domain::scanning::code::{KeyId, TicketClaims, TicketSigner};
use voelgoed_domain::time::Timestamp;

use crate::token::MasterKey;

/// Doors open at most so long before an event begins.
pub const ADMITS_BEFORE: Duration = Duration::from_secs(24 * 3600);
/// A ticket admits at most so long after an event began (a festival lasts days).
pub const ADMITS_AFTER: Duration = Duration::from_secs(7 * 24 * 3600);

/// The signer of an organization's codes.
#[must_use]
pub fn signer(master: &MasterKey, organization: OrganizationId) -> TicketSigner {
    let organization = organization.uuid().into_bytes();
    let id = master.derive("ticket key id", &[&organization]);
    let seed = master.derive("ticket key", &[&organization]);
    // Below 2^24, so that every code begins with `V50` and never with a blank that a scanner might trim.
    TicketSigner::new(KeyId(u32::from_be_bytes([0, id[1], id[2], id[3]])), &seed)
}

/// When an event's tickets admit.
#[must_use]
pub fn validity(event: &Event) -> (Timestamp, Timestamp) {
    (event.starts_at.minus(ADMITS_BEFORE), event.starts_at.plus(ADMITS_AFTER))
}

/// A ticket's code.
#[must_use]
pub fn code(signer: &TicketSigner, event: &Event, ticket: TicketId) -> String {
    let (from, until) = validity(event);
    signer.sign(&TicketClaims::new(event.id, ticket, from, until))
}
