//! Everything about an event that a sale needs to know, read together: the event, its plan, what is sold for its places and for how much.
//!
//! Never: availability (that is the inventory's). To add a part: a field here, and its line in the cold tier's one read of a listing.

use std::sync::Arc;

use super::event::Event;
use super::layout::Layout;
use super::price_rule::PriceRule;
use super::ticket_type::TicketType;
use crate::ids::TicketTypeId;

/// An event with its plan and prices. Cheap to clone: the plan is shared.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// The event.
    pub event: Event,
    /// The version of the seating plan that it pins.
    pub layout: Arc<Layout>,
    /// What is sold; retired ones are absent.
    pub ticket_types: Vec<TicketType>,
    /// What changes the prices.
    pub price_rules: Vec<PriceRule>,
}

impl Listing {
    /// Which version of the plan this is: another one for another layout, and for other flags of its seats.
    #[must_use]
    pub fn layout_version(&self) -> String {
        match self.layout.flags_version {
            0 => self.event.layout.to_string(),
            flags => format!("{}.{flags}", self.event.layout),
        }
    }

    /// The ticket type with this id, where it is on sale here.
    #[must_use]
    pub fn ticket_type(&self, id: TicketTypeId) -> Option<&TicketType> {
        self.ticket_types.iter().find(|ticket_type| ticket_type.id == id)
    }
}
