//! Checks how many places, and how many of each ticket type, one hold may contain.
//!
//! Never: a limit without a stable name, since clients show it. The inventory counts the places of a session and of a client address, under
//! [`PLACES_PER_SESSION`] and [`PLACES_PER_ADDRESS`]. To add a limit: its name here, its check, and both of its edges in the test.

use std::collections::BTreeMap;

use crate::catalog::event::EventLimits;
use crate::catalog::listing::Listing;
use crate::ids::TicketTypeId;
use crate::refusal::Refusal;

/// The limit on the places of one hold.
pub const PLACES_PER_HOLD: &str = "places_per_hold";
/// The limit on the places of one buyer: held at once by the session, and in orders by session or e-mail address.
pub const PLACES_PER_SESSION: &str = "places_per_session";
/// The limit on the places that all sessions of one client address hold at once.
pub const PLACES_PER_ADDRESS: &str = "places_per_address_max";
/// The minimum number of tickets of a type in one hold.
pub const TICKETS_PER_HOLD_MIN: &str = "min_per_hold";
/// The maximum number of tickets of a type in one hold.
pub const TICKETS_PER_HOLD_MAX: &str = "max_per_hold";
/// The maximum number of tickets of a type for one buyer, over all orders.
pub const TICKETS_PER_BUYER_MAX: &str = "max_per_buyer";
/// The limit on the holds that one session has open at once.
pub const OPEN_HOLDS: &str = "holds_per_session";
/// The limit on the payment attempts of one order.
pub const PAYMENT_ATTEMPTS: &str = "attempts_per_order";
/// The limit on the orders that use a promo code.
pub const CODE_USES: &str = "uses_max";
/// The limit on the orders of one buyer that use a promo code.
pub const CODE_USES_PER_BUYER: &str = "uses_per_buyer_max";

/// Checks the number of places of one hold.
///
/// # Errors
/// `limit_reached`, [`PLACES_PER_HOLD`].
pub fn check_places(limits: &EventLimits, places: u64) -> Result<(), Refusal> {
    let places_max = limits.places_per_hold;
    if places > u64::from(places_max) {
        let detail = format!("At most {places_max} places at once.");
        return Err(Refusal::limit(PLACES_PER_HOLD, u64::from(places_max), detail));
    }
    Ok(())
}

/// Checks the number of tickets of each type in one hold. Skips types that went off sale since they were held: such tickets stay held.
///
/// # Errors
/// `limit_reached`, [`TICKETS_PER_HOLD_MIN`] or [`TICKETS_PER_HOLD_MAX`].
pub fn check_ticket_types(listing: &Listing, counts: &BTreeMap<TicketTypeId, u64>) -> Result<(), Refusal> {
    for (id, count) in counts {
        let Some(ticket_type) = listing.ticket_type(*id) else { continue };
        let (tickets_min, tickets_max) = (ticket_type.limits.min_per_hold, ticket_type.limits.max_per_hold);
        let name = &ticket_type.name;
        if *count > u64::from(tickets_max) {
            let detail = format!("At most {tickets_max} tickets `{name}` at once.");
            return Err(Refusal::limit(TICKETS_PER_HOLD_MAX, u64::from(tickets_max), detail));
        }
        if *count < u64::from(tickets_min) {
            let detail = format!("At least {tickets_min} tickets `{name}` at once.");
            return Err(Refusal::limit(TICKETS_PER_HOLD_MIN, u64::from(tickets_min), detail));
        }
    }
    Ok(())
}
