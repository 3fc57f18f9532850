//! How much one hold may contain, by event and by ticket type.
//!
//! Never: a limit without a stable name, since clients show it. What a session may hold over all its holds, and an address over all its sessions, is counted by the inventory,
//! under [`PLACES_PER_SESSION`] and [`PLACES_PER_ADDRESS`]. To add a limit: its name here, its check, both of its edges in the test.

use std::collections::BTreeMap;

use crate::catalog::event::EventLimits;
use crate::catalog::listing::Listing;
use crate::ids::TicketTypeId;
use crate::refusal::Refusal;

/// Places in one hold.
pub const PLACES_PER_HOLD: &str = "places_per_hold";
/// Places of one buyer: held at once by the session, and in orders by session or e-mail address.
pub const PLACES_PER_SESSION: &str = "places_per_session";
/// Places held at once by all sessions of one client address.
pub const PLACES_PER_ADDRESS: &str = "places_per_address_max";
/// The least of a ticket type in one hold.
pub const MIN_PER_HOLD: &str = "min_per_hold";
/// The most of a ticket type in one hold.
pub const MAX_PER_HOLD: &str = "max_per_hold";
/// The most of a ticket type for one buyer, over all orders.
pub const MAX_PER_BUYER: &str = "max_per_buyer";
/// Holds of one session that are open at once.
pub const OPEN_HOLDS: &str = "holds_per_session";
/// Payment attempts of one order.
pub const PAYMENT_ATTEMPTS: &str = "attempts_per_order";
/// How many orders may use a promo code.
pub const CODE_USES: &str = "uses_max";
/// How many orders of one buyer may use a promo code.
pub const CODE_USES_PER_BUYER: &str = "uses_per_buyer_max";

/// Whether one hold may have so many places.
///
/// # Errors
/// `limit_reached`, [`PLACES_PER_HOLD`].
pub fn check_places(limits: &EventLimits, places: u64) -> Result<(), Refusal> {
    let most = limits.places_per_hold;
    if places > u64::from(most) {
        return Err(Refusal::limit(PLACES_PER_HOLD, u64::from(most), format!("At most {most} places at once.")));
    }
    Ok(())
}

/// Whether one hold may have so many of each ticket type. Types that are off sale meanwhile are not judged: what is held of them stays.
///
/// # Errors
/// `limit_reached`, [`MIN_PER_HOLD`] or [`MAX_PER_HOLD`].
pub fn check_ticket_types(listing: &Listing, counts: &BTreeMap<TicketTypeId, u64>) -> Result<(), Refusal> {
    for (id, count) in counts {
        let Some(ticket_type) = listing.ticket_type(*id) else { continue };
        let (least, most) = (ticket_type.limits.min_per_hold, ticket_type.limits.max_per_hold);
        let name = &ticket_type.name;
        if *count > u64::from(most) {
            let detail = format!("At most {most} tickets `{name}` at once.");
            return Err(Refusal::limit(MAX_PER_HOLD, u64::from(most), detail));
        }
        if *count < u64::from(least) {
            let detail = format!("At least {least} tickets `{name}` at once.");
            return Err(Refusal::limit(MIN_PER_HOLD, u64::from(least), detail));
        }
    }
    Ok(())
}
