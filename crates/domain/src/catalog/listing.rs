//! Combines what a sale needs to know about an event: the event, its seating plan, ticket types, prices and admission windows.
//!
//! Never: availability; the inventory has it. To add a part: a field here, and its query in the listing read of the cold tier.

use std::sync::Arc;

use super::admission_window::{AdmissionTimes, AdmissionWindow, AdmissionWindows};
use super::event::{Event, EventState};
use super::layout::Layout;
use super::price_rule::PriceRule;
use super::ticket_type::TicketType;
use crate::ids::TicketTypeId;
use crate::refusal::{Code, Refusal};
use crate::time::Timestamp;

/// An event with its plan and prices. The plan is shared, so clones are cheap.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// The event itself.
    pub event: Event,
    /// The pinned version of the seating plan.
    pub layout: Arc<Layout>,
    /// The ticket types on sale.
    pub ticket_types: Vec<TicketType>,
    /// Price rules of the event.
    pub price_rules: Vec<PriceRule>,
    /// Ticket types off sale with admission times of their own, since their tickets are still scanned.
    pub retired: Vec<(TicketTypeId, AdmissionTimes)>,
}

impl Listing {
    /// A version text that changes with the layout and with the flags of its seats.
    #[must_use]
    pub fn layout_version(&self) -> String {
        match self.layout.flags_version {
            0 => self.event.layout.to_string(),
            flags => format!("{}.{flags}", self.event.layout),
        }
    }

    /// The ticket type with this id, where it is on sale.
    #[must_use]
    pub fn ticket_type(&self, id: TicketTypeId) -> Option<&TicketType> {
        self.ticket_types.iter().find(|ticket_type| ticket_type.id == id)
    }

    /// The admission windows of the event and its ticket types.
    #[must_use]
    pub fn admissions(&self) -> AdmissionWindows {
        let event = self.event.admission_window();
        let on_sale = self.ticket_types.iter().map(|found| (found.id, found.admission));
        let own = on_sale.chain(self.retired.iter().copied()).filter(|(_, times)| !times.is_default());
        AdmissionWindows { event, types: own.map(|(id, times)| (id, times.type_window(event))).collect() }
    }

    /// The admission window of a ticket type.
    #[must_use]
    pub fn admission_window(&self, ticket_type: &TicketType) -> AdmissionWindow {
        ticket_type.admission.type_window(self.event.admission_window())
    }

    /// True once selling has ended for good: the sale is over, or every ticket would be expired.
    #[must_use]
    pub fn is_sale_over(&self, now: Timestamp) -> bool {
        self.event.is_sale_over(now)
            || self.event.state != EventState::Draft && self.check_any_type_still_admits(now).is_err()
    }

    /// Checks that a buyer may take places now: the event is on sale, and a ticket can still admit.
    ///
    /// # Errors
    /// The errors of [`Event::check_on_sale`], and `sale_closed` where no ticket can admit any more.
    pub fn check_on_sale(&self, now: Timestamp) -> Result<(), Refusal> {
        self.event.check_on_sale(now)?;
        self.check_any_type_still_admits(now)
    }

    /// Checks that a ticket of at least one type can still admit.
    ///
    /// # Errors
    /// `sale_closed`.
    pub fn check_any_type_still_admits(&self, now: Timestamp) -> Result<(), Refusal> {
        let event = self.event.admission_window();
        let windows = self.ticket_types.iter().map(|found| found.admission.type_window(event));
        let until = windows.map(|window| window.until).max().unwrap_or(event.until);
        if now < until { Ok(()) } else { Err(admission_ended(until)) }
    }

    /// Checks that a ticket of this type can still admit. Uses the window of the event for a type without known times.
    ///
    /// # Errors
    /// `sale_closed`.
    pub fn check_type_still_admits(&self, ticket_type: TicketTypeId, now: Timestamp) -> Result<(), Refusal> {
        let window = self.admissions().window(Some(ticket_type));
        if window.is_over(now) { Err(admission_ended(window.until)) } else { Ok(()) }
    }
}

fn admission_ended(until: Timestamp) -> Refusal {
    Refusal::new(Code::SaleClosed, format!("These tickets admit until {until}, which has passed. Nothing was sold."))
}
