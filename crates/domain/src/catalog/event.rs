//! A show: when it is, when it is sold, in which currency, with which fees, tax and limits.
//!
//! Never: a sale outside [`Event::check_on_sale`], a draft shown to a buyer. To add a state: the machine's list and its cell in the test.

use serde::{Deserialize, Serialize};

use super::admission::{AdmissionTimes, AdmissionWindow};
use crate::ids::{EventId, LayoutId, OrganizationId};
use crate::machine::machine;
use crate::money::Currency;
use crate::refusal::{Code, Refusal};
use crate::scanning::entry::EntryRule;
use crate::time::Timestamp;

mod change;
mod draft;
#[cfg(test)]
mod tests;

pub use change::{EventChange, moved_by};
pub use draft::{EVENT_NAME_MAX, EventDraft, MAX_PLACES_PER_HOLD, MAX_PLACES_PER_SESSION};

/// The show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its identifier.
    pub id: EventId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What it is called.
    pub name: String,
    /// The version of the seating plan that it pins.
    pub layout: LayoutId,
    /// When it begins.
    pub starts_at: Timestamp,
    /// Doors, end, and when its tickets admit.
    #[serde(default, flatten)]
    pub admission: AdmissionTimes,
    /// IANA name, for showing times to people.
    pub timezone: String,
    /// When it is sold.
    pub sale: SaleWindow,
    /// All its prices are in this currency.
    pub currency: Currency,
    /// Where it stands.
    pub state: EventState,
    /// What is charged on top.
    #[serde(default)]
    pub fees: FeePolicy,
    /// The tax on tickets and fees.
    #[serde(default)]
    pub tax: TaxPolicy,
    /// How much one buyer may have.
    #[serde(default)]
    pub limits: EventLimits,
    /// How often each of its tickets admits.
    #[serde(default = "EntryRule::usual")]
    pub entry_rule: EntryRule,
}

/// When an event is sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleWindow {
    /// From this moment.
    pub opens_at: Timestamp,
    /// Until this moment, exclusive.
    pub closes_at: Timestamp,
}

impl SaleWindow {
    /// True from `opens_at` until before `closes_at`.
    #[must_use]
    pub fn contains(&self, now: Timestamp) -> bool {
        self.opens_at <= now && now < self.closes_at
    }
}

machine! {
    /// Where an event stands.
    "event" EventState {
        /// Seen by its organizer only.
        Draft = "draft",
        /// Seen by all; sold within its sale window.
        Published = "published",
        /// Seen by all; not sold until it is opened again.
        Paused = "paused",
        /// Seen by all; sold no more.
        Closed = "closed",
    }

    /// What an organizer does with an event.
    EventAct {
        /// Shows it, and sells it within its window.
        Publish = "publish",
        /// Stops selling for a while.
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

/// How tax relates to the shown prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TaxPolicy {
    /// Hundredths of a percent, e.g. 1500 for 15 %.
    pub basis_points: u32,
    /// True: prices and fees contain the tax; false: it is added.
    pub included: bool,
}

/// How much one buyer may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventLimits {
    /// Places in one hold.
    pub places_per_hold: u32,
    /// Places held at once by one session.
    pub places_per_session: u32,
}

impl Default for EventLimits {
    fn default() -> Self {
        Self { places_per_hold: 10, places_per_session: 20 }
    }
}

impl Event {
    /// When its tickets admit, where their type has no window of its own.
    #[must_use]
    pub fn admission_window(&self) -> AdmissionWindow {
        self.admission.event_window(self.starts_at)
    }

    /// From when it is past, with ticket types on sale that have these times: each type may end earlier or later than the event, the last one counts, but
    /// none beyond an end that the event gives. An event is never past before it starts.
    #[must_use]
    pub fn past_from(&self, types: &[AdmissionTimes]) -> Timestamp {
        let own = self.admission.past_from(self.starts_at);
        let last = types.iter().map(|times| times.own_end().unwrap_or(own)).max().unwrap_or(own);
        self.admission.ends_at.map_or(last, |end| last.min(end)).max(self.starts_at)
    }

    /// True once nothing will be sold of it any more: closed, or past its window. It does not begin again.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        match self.state {
            EventState::Draft => false,
            EventState::Closed => true,
            EventState::Published | EventState::Paused => now >= self.sale.closes_at,
        }
    }

    /// Whether a buyer may take places now.
    ///
    /// # Errors
    /// `sale_closed`, with `opens_at` where it is not yet open; `not_found` for a draft, which buyers must not learn of.
    pub fn check_on_sale(&self, now: Timestamp) -> Result<(), Refusal> {
        let closed = |detail: &str| Err(Refusal::new(Code::SaleClosed, detail));
        match self.state {
            EventState::Draft => Err(Refusal::not_found()),
            _ if self.is_over(now) => closed("The sale is over."),
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
