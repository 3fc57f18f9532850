//! An event as an organizer gives it, before it is known to be whole.
//!
//! Never: an event whose zone, window or rates no later rule could work with. To add a field: here, its check, and its row in `tests`.

use serde::{Deserialize, Serialize};

use super::{Event, EventLimits, EventState, FeePolicy, SaleWindow, TaxPolicy};
use crate::catalog::admission::AdmissionTimes;
use crate::catalog::bounds::{amount, basis_points, within};
use crate::catalog::wording::worded;
use crate::ids::{EventId, LayoutId, OrganizationId};
use crate::money::Currency;
use crate::refusal::Refusal;
use crate::scanning::entry::EntryRule;
use crate::time::{Timestamp, zone_name};

/// Characters of an event's name.
pub const EVENT_NAME_MAX: usize = 120;
/// The most that an event may allow in one hold: what one script of the warm tier changes at once.
pub const MAX_PLACES_PER_HOLD: u32 = 100;
/// The most that an event may let one session hold at once.
pub const MAX_PLACES_PER_SESSION: u32 = 500;

/// What an organizer gives to make an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventDraft {
    /// What it is called.
    pub name: String,
    /// The version of the seating plan that it pins.
    pub layout: LayoutId,
    /// When it begins.
    pub starts_at: Timestamp,
    /// Doors, end, and when its tickets admit.
    #[serde(default, flatten)]
    pub admission: AdmissionTimes,
    /// IANA name such as `Africa/Johannesburg`, whatever its case.
    pub timezone: String,
    /// When it is sold.
    pub sale: SaleWindow,
    /// ISO 4217 code.
    pub currency: Currency,
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

impl EventDraft {
    /// The event, in the state `draft`.
    ///
    /// # Errors
    /// `invalid_request` naming the field.
    pub fn check(self, id: EventId, organization: OrganizationId) -> Result<Event, Refusal> {
        let name = worded("name", &self.name, EVENT_NAME_MAX)?;
        let timezone = zone_name(&self.timezone)?;
        check_sale(self.sale)?;
        self.admission.check_event(self.starts_at)?;
        if self.currency.exponent().is_none() {
            return Err(Refusal::invalid("currency", "Must be a currency that can be paid in."));
        }
        amount("fees.per_ticket", self.fees.per_ticket)?;
        basis_points("fees.basis_points", self.fees.basis_points)?;
        basis_points("tax.basis_points", self.tax.basis_points)?;
        within("limits.places_per_hold", self.limits.places_per_hold, 1, MAX_PLACES_PER_HOLD)?;
        let least = self.limits.places_per_hold;
        within("limits.places_per_session", self.limits.places_per_session, least, MAX_PLACES_PER_SESSION)?;
        Ok(Event {
            id,
            organization,
            name,
            layout: self.layout,
            starts_at: self.starts_at,
            admission: self.admission,
            timezone,
            sale: self.sale,
            currency: self.currency,
            state: EventState::Draft,
            fees: self.fees,
            tax: self.tax,
            limits: self.limits,
            entry_rule: self.entry_rule,
        })
    }
}

/// A sale ends after it begins.
pub(super) fn check_sale(sale: SaleWindow) -> Result<(), Refusal> {
    if sale.closes_at <= sale.opens_at {
        return Err(Refusal::invalid("sale.closes_at", "Must be later than `sale.opens_at`."));
    }
    Ok(())
}
