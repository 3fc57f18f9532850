//! Defines an event (a show) with its times, sale window, state, currency, fees, tax and limits, and checks whether it is on sale.
//!
//! Never: a sale without [`Event::check_on_sale`], or a draft shown to a buyer.
//! To add a state: a line in the list of the state machine, and its cell in the matrix of the test.

use serde::{Deserialize, Serialize};

use super::admission_window::{AdmissionTimes, AdmissionWindow};
use crate::ids::{EventId, LayoutId, OrganizationId};
use crate::money::Currency;
use crate::refusal::{Code, Refusal};
use crate::scanning::entry::EntryRule;
use crate::state_machine::state_machine;
use crate::time::Timestamp;

mod change;
mod draft;
#[cfg(test)]
mod tests;

pub use change::{EventChange, start_shift_micros};
pub use draft::{EVENT_NAME_CHARS_MAX, EventDraft, PLACES_PER_SESSION_MAX};

/// A show with a date.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Unique identifier.
    pub id: EventId,
    /// The organizer.
    pub organization: OrganizationId,
    /// Display name.
    pub name: String,
    /// The pinned version of the seating plan.
    pub layout: LayoutId,
    /// Start of the show.
    pub starts_at: Timestamp,
    /// Doors, end and admission times, where given.
    #[serde(default, flatten)]
    pub admission: AdmissionTimes,
    /// IANA name of the zone in which times are shown.
    pub timezone: String,
    /// When the event is on sale.
    pub sale: SaleWindow,
    /// The currency of every price of the event.
    pub currency: Currency,
    /// Lifecycle state.
    pub state: EventState,
    /// Fees on top of the ticket prices.
    #[serde(default)]
    pub fees: FeePolicy,
    /// The tax on tickets and fees.
    #[serde(default)]
    pub tax: TaxPolicy,
    /// Limits for one buyer.
    #[serde(default)]
    pub limits: EventLimits,
    /// How often one ticket admits.
    #[serde(default = "EntryRule::default")]
    pub entry_rule: EntryRule,
}

/// The time in which an event is sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleWindow {
    /// Inclusive.
    pub opens_at: Timestamp,
    /// Exclusive.
    pub closes_at: Timestamp,
}

impl SaleWindow {
    /// True from `opens_at` until before `closes_at`.
    #[must_use]
    pub fn contains(&self, now: Timestamp) -> bool {
        self.opens_at <= now && now < self.closes_at
    }
}

state_machine! {
    /// The lifecycle state of an event.
    "event" EventState {
        /// Visible to its organizer only.
        Draft = "draft",
        /// Visible to everyone; sold within the sale window.
        Published = "published",
        /// Visible to everyone; not sold until reopened.
        Paused = "paused",
        /// Visible to everyone; never sold again.
        Closed = "closed",
    }

    /// An action of the organizer that changes the state.
    EventTransition {
        /// Makes it visible and sells it within the sale window.
        Publish = "publish",
        /// Stops selling until reopened.
        Pause = "pause",
        /// Sells again after a pause.
        Open = "open",
        /// Stops selling for good.
        Close = "close",
    }

    transitions {
        Draft, Publish => Published;
        Published, Pause => Paused;
        Paused, Open => Published;
        Published, Close => Closed;
        Paused, Close => Closed;
    }
}

/// A fee on each ticket: a fixed part and a share of the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FeePolicy {
    /// Minor units per ticket; free tickets carry no fee.
    pub per_ticket: i64,
    /// Hundredths of a percent of the ticket's price, rounded half up per ticket.
    pub basis_points: u32,
}

/// Whether shown prices contain the tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TaxPolicy {
    /// Hundredths of a percent, e.g. 1500 for 15 %.
    pub basis_points: u32,
    /// True: prices and fees contain the tax; false: it is added.
    pub included: bool,
}

/// How many places one buyer may hold, chosen per event. [`hold_limits`](crate::ticketing::hold_limits) has the limits of every hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventLimits {
    /// Maximum in one hold.
    pub places_per_hold: u32,
    /// Maximum that one session may hold at the same time.
    pub places_per_session: u32,
}

impl Default for EventLimits {
    fn default() -> Self {
        Self { places_per_hold: 10, places_per_session: 20 }
    }
}

impl Event {
    /// The window in which its tickets admit, where their type has no times of its own.
    #[must_use]
    pub fn admission_window(&self) -> AdmissionWindow {
        self.admission.event_window(self.starts_at)
    }

    /// The moment from which the event is past, given the times of its ticket types on sale. The type that ends last decides; an end that the event gives is
    /// the upper bound, and the start the lower bound.
    #[must_use]
    pub fn past_from(&self, types: &[AdmissionTimes]) -> Timestamp {
        let own = self.admission.past_from(self.starts_at);
        let last = types.iter().map(|times| times.explicit_end().unwrap_or(own)).max().unwrap_or(own);
        self.admission.ends_at.map_or(last, |end| last.min(end)).max(self.starts_at)
    }

    /// True once the event will never be sold again: closed, or after its sale window.
    #[must_use]
    pub fn is_sale_over(&self, now: Timestamp) -> bool {
        match self.state {
            EventState::Draft => false,
            EventState::Closed => true,
            EventState::Published | EventState::Paused => now >= self.sale.closes_at,
        }
    }

    /// Checks that a buyer may take places now.
    ///
    /// # Errors
    /// `sale_closed`, with `opens_at` before the sale opens; `not_found` for a draft, whose existence buyers must not see.
    pub fn check_on_sale(&self, now: Timestamp) -> Result<(), Refusal> {
        let closed = |detail: &str| Err(Refusal::new(Code::SaleClosed, detail));
        match self.state {
            EventState::Draft => Err(Refusal::not_found()),
            _ if self.is_sale_over(now) => closed("The sale is over."),
            EventState::Paused | EventState::Closed => closed("The sale is paused."),
            EventState::Published if now < self.sale.opens_at => {
                let opens_at = self.sale.opens_at;
                let refusal = Refusal::new(Code::SaleClosed, format!("The sale opens at {opens_at}."));
                Err(refusal.with(|evidence| evidence.opens_at = Some(opens_at)))
            }
            EventState::Published => Ok(()),
        }
    }
}
