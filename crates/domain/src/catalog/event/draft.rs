//! Checks the draft of an event from an organizer and turns it into an [`Event`] in the state `draft`.
//!
//! Never: an event with an unknown zone, an inverted window or a rate out of range; later rules rely on these. To add a field: here, its check, and its row in `tests`.

use serde::{Deserialize, Serialize};

use super::{Event, EventLimits, EventState, FeePolicy, SaleWindow, TaxPolicy};
use crate::catalog::admission_window::AdmissionTimes;
use crate::catalog::number_ranges::{check_amount, check_basis_points, check_range};
use crate::ids::{EventId, LayoutId, OrganizationId};
use crate::money::Currency;
use crate::refusal::Refusal;
use crate::scanning::entry::EntryRule;
use crate::text::single_line;
use crate::ticketing::hold_limits::PLACES_PER_HOLD_MAX;
use crate::time::Timestamp;
use crate::time_zone::canonical_zone_name;

/// Characters of an event's name.
pub const EVENT_NAME_CHARS_MAX: usize = 120;
/// Upper bound of `places_per_session`.
pub const PLACES_PER_SESSION_MAX: u32 = 500;

/// The request to create an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventDraft {
    /// Display name.
    pub name: String,
    /// The version of the seating plan to pin.
    pub layout: LayoutId,
    /// Start of the show.
    pub starts_at: Timestamp,
    /// Doors, end and admission times, where given.
    #[serde(default, flatten)]
    pub admission: AdmissionTimes,
    /// IANA name such as `Africa/Johannesburg`, in any case.
    pub timezone: String,
    /// When the event is on sale.
    pub sale: SaleWindow,
    /// ISO 4217 code.
    pub currency: Currency,
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

impl EventDraft {
    /// The checked event, in the state `draft`.
    ///
    /// # Errors
    /// `invalid_request` with the field.
    pub fn check(self, id: EventId, organization: OrganizationId) -> Result<Event, Refusal> {
        let name = single_line("name", &self.name, EVENT_NAME_CHARS_MAX)?;
        let timezone = canonical_zone_name(&self.timezone)?;
        check_sale(self.sale)?;
        self.admission.check_event(self.starts_at)?;
        if self.currency.exponent().is_none() {
            return Err(Refusal::invalid("currency", "Must be a currency with a minor unit, such as ZAR or EUR."));
        }
        check_amount("fees.per_ticket", self.fees.per_ticket)?;
        check_basis_points("fees.basis_points", self.fees.basis_points)?;
        check_basis_points("tax.basis_points", self.tax.basis_points)?;
        check_range("limits.places_per_hold", self.limits.places_per_hold, 1, PLACES_PER_HOLD_MAX)?;
        let min = self.limits.places_per_hold;
        check_range("limits.places_per_session", self.limits.places_per_session, min, PLACES_PER_SESSION_MAX)?;
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

/// Refuses a sale window that does not end after its start.
pub(super) fn check_sale(sale: SaleWindow) -> Result<(), Refusal> {
    if sale.closes_at <= sale.opens_at {
        return Err(Refusal::invalid("sale.closes_at", "Must be later than `sale.opens_at`."));
    }
    Ok(())
}
