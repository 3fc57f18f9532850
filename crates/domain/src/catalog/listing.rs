//! Everything about an event that a sale needs to know, read together: the event, its plan, what is sold for its places and for how much.
//!
//! Never: availability (that is the inventory's). To add a part: a field here, and its line in the cold tier's one read of a listing.

use std::sync::Arc;

use super::admission::{AdmissionTimes, AdmissionWindow, Admissions};
use super::event::{Event, EventState};
use super::layout::Layout;
use super::price_rule::PriceRule;
use super::ticket_type::TicketType;
use crate::ids::TicketTypeId;
use crate::refusal::{Code, Refusal};
use crate::time::Timestamp;

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
    /// Admission times of ticket types that are off sale and have some: their tickets are still scanned.
    pub retired: Vec<(TicketTypeId, AdmissionTimes)>,
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

    /// When tickets of the event admit, by ticket type.
    #[must_use]
    pub fn admissions(&self) -> Admissions {
        let event = self.event.admission_window();
        let on_sale = self.ticket_types.iter().map(|found| (found.id, found.admission));
        let own = on_sale.chain(self.retired.iter().copied()).filter(|(_, times)| !times.is_default());
        Admissions { event, types: own.map(|(id, times)| (id, times.type_window(event))).collect() }
    }

    /// When tickets of a type admit.
    #[must_use]
    pub fn admission_window(&self, ticket_type: &TicketType) -> AdmissionWindow {
        ticket_type.admission.type_window(self.event.admission_window())
    }

    /// True once nothing will be sold any more, since the sale is over or no ticket could admit.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.event.is_over(now) || self.event.state != EventState::Draft && self.check_admits_anybody(now).is_err()
    }

    /// Whether a buyer may take places now: the event is on sale, and a ticket of it can still admit.
    ///
    /// # Errors
    /// As [`Event::check_on_sale`]; `sale_closed` also where no admission is possible any more.
    pub fn check_on_sale(&self, now: Timestamp) -> Result<(), Refusal> {
        self.event.check_on_sale(now)?;
        self.check_admits_anybody(now)
    }

    /// Whether any of its ticket types can still admit somebody.
    ///
    /// # Errors
    /// `sale_closed`.
    pub fn check_admits_anybody(&self, now: Timestamp) -> Result<(), Refusal> {
        let event = self.event.admission_window();
        let windows = self.ticket_types.iter().map(|found| found.admission.type_window(event));
        let until = windows.map(|window| window.until).max().unwrap_or(event.until);
        if now < until { Ok(()) } else { Err(too_late(until)) }
    }

    /// Whether a ticket of this type, bought now, can still admit. A type that is off sale is judged by what is known of it.
    ///
    /// # Errors
    /// `sale_closed`.
    pub fn check_admits(&self, ticket_type: TicketTypeId, now: Timestamp) -> Result<(), Refusal> {
        let window = self.admissions().window(Some(ticket_type));
        if window.is_over(now) { Err(too_late(window.until)) } else { Ok(()) }
    }
}

fn too_late(until: Timestamp) -> Refusal {
    Refusal::new(Code::SaleClosed, format!("These tickets admit until {until}; nobody could enter with one any more."))
}
