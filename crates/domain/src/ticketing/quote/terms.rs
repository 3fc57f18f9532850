//! Stores the terms of a hold, which are its priced lines and their sums, as JSON with the hold, and reads them when the hold becomes an order.
//!
//! Never: a price that changes after the hold, or totals that are not the sum of the lines (checked on reading, P5).
//! To change the shape: raise [`TERMS_VERSION`] and keep reading the older one, because live holds have it.

use serde::{Deserialize, Serialize};

use super::UnitPrice;
use crate::catalog::event::Event;
use crate::catalog::ticket_type::TicketType;
use crate::ids::TicketTypeId;
use crate::money::{Currency, Money};

/// The version of newly written terms.
pub const TERMS_VERSION: u32 = 1;

/// The prices of a hold, in minor units of `currency`. Deserialization checks the version and the sums.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "UncheckedTerms")]
pub struct Terms {
    /// The version of this shape.
    pub v: u32,
    /// The currency of every amount here.
    pub currency: Currency,
    /// True where prices and fees contain the tax; false where it is on top.
    pub tax_included: bool,
    /// The promo code of the hold, as the buyer wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// One line per pick of the hold, in its order.
    pub lines: Vec<TermsLine>,
    /// The sums over all lines.
    pub totals: Totals,
}

/// Terms as read from a store, before their checks.
#[derive(Deserialize)]
struct UncheckedTerms {
    v: u32,
    currency: Currency,
    tax_included: bool,
    #[serde(default)]
    code: Option<String>,
    lines: Vec<TermsLine>,
    totals: Totals,
}

impl TryFrom<UncheckedTerms> for Terms {
    type Error = MalformedTerms;

    fn try_from(unchecked: UncheckedTerms) -> Result<Self, MalformedTerms> {
        let UncheckedTerms { v, currency, tax_included, code, lines, totals } = unchecked;
        if v != TERMS_VERSION {
            return Err(MalformedTerms::Version(v));
        }
        let positive = lines.iter().all(|line| line.price >= 0 && line.fee >= 0 && line.tax >= 0);
        if !positive || Totals::over(&lines, tax_included) != Some(totals) {
            return Err(MalformedTerms::Totals);
        }
        Ok(Self { v, currency, tax_included, code, lines, totals })
    }
}

/// The terms of one pick.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermsLine {
    /// The ticket type that the places are sold as.
    pub ticket_type: TicketTypeId,
    /// The ticket type's name at the time of the hold.
    pub name: String,
    /// The price of one ticket, after price rules.
    pub price: i64,
    /// The fee on one ticket.
    pub fee: i64,
    /// The tax on price and fee of one ticket.
    pub tax: i64,
    /// How many tickets.
    pub quantity: u32,
    /// The price of one ticket without the promo code, where the code made it cheaper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_code: Option<i64>,
}

/// Sums over all lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// The sum of the prices.
    pub tickets: i64,
    /// The sum of the fees.
    pub fees: i64,
    /// The sum of the taxes, within the two above or on top.
    pub tax: i64,
    /// The amount that the buyer pays.
    pub total: i64,
}

/// Why stored terms are refused: a fault of the store.
#[derive(Debug, thiserror::Error)]
pub enum MalformedTerms {
    /// Not JSON of this shape.
    #[error("the terms of a hold cannot be read")]
    Shape(#[from] serde_json::Error),
    /// A version that this program cannot read.
    #[error("the terms of a hold have the unknown version {0}")]
    Version(u32),
    /// The totals are not the sum of the lines, or an amount is out of range.
    #[error("the totals of a hold's terms are not the sum of its lines")]
    Totals,
}

impl TermsLine {
    pub(super) fn new(ticket_type: &TicketType, unit: UnitPrice, quantity: u32) -> Self {
        let UnitPrice { price, fee, tax } = unit;
        let name = ticket_type.name.clone();
        Self { ticket_type: ticket_type.id, name, price, fee, tax, quantity, without_code: None }
    }

    /// Replaces the price of the line; `without` is its price without the promo code.
    pub(super) fn priced(self, UnitPrice { price, fee, tax }: UnitPrice, without: i64) -> Self {
        let without_code = (price < without).then_some(without);
        Self { price, fee, tax, without_code, ..self }
    }

    /// True where the promo code makes the line cheaper.
    pub(super) const fn is_cheaper_by_code(&self) -> bool {
        self.without_code.is_some()
    }

    fn sums(&self, tax_included: bool) -> Option<Totals> {
        let times = |amount: i64| amount.checked_mul(i64::from(self.quantity));
        let (tickets, fees, tax) = (times(self.price)?, times(self.fee)?, times(self.tax)?);
        let on_top = if tax_included { 0 } else { tax };
        Some(Totals { tickets, fees, tax, total: tickets.checked_add(fees)?.checked_add(on_top)? })
    }
}

impl Totals {
    const NONE: Self = Self { tickets: 0, fees: 0, tax: 0, total: 0 };

    fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            tickets: self.tickets.checked_add(other.tickets)?,
            fees: self.fees.checked_add(other.fees)?,
            tax: self.tax.checked_add(other.tax)?,
            total: self.total.checked_add(other.total)?,
        })
    }

    fn over(lines: &[TermsLine], tax_included: bool) -> Option<Self> {
        lines.iter().try_fold(Self::NONE, |sum, line| sum.plus(line.sums(tax_included)?))
    }
}

impl Terms {
    pub(super) fn of(event: &Event, code: Option<String>, lines: Vec<TermsLine>) -> Self {
        Self::over(event.currency, event.tax.included, code, lines)
    }

    /// Terms over `lines`. The catalogue bounds prices to `AMOUNT_MINOR_MAX` and holds to 100 places, which keeps every sum within `i64`.
    pub(super) fn over(currency: Currency, tax_included: bool, code: Option<String>, lines: Vec<TermsLine>) -> Self {
        let saturated = Totals { tickets: i64::MAX, fees: i64::MAX, tax: i64::MAX, total: i64::MAX };
        let totals = Totals::over(&lines, tax_included).unwrap_or(saturated);
        Self { v: TERMS_VERSION, currency, tax_included, code, lines, totals }
    }

    /// The amount that the buyer pays.
    #[must_use]
    pub const fn total(&self) -> Money {
        Money::new(self.totals.total, self.currency)
    }

    /// The sum of the fees.
    #[must_use]
    pub const fn fees(&self) -> Money {
        Money::new(self.totals.fees, self.currency)
    }

    /// The sum of the taxes; the total contains it in either case.
    #[must_use]
    pub const fn tax(&self) -> Money {
        Money::new(self.totals.tax, self.currency)
    }

    /// The number of priced places.
    #[must_use]
    pub fn place_count(&self) -> u64 {
        self.lines.iter().map(|line| u64::from(line.quantity)).sum()
    }

    /// The JSON that is stored with the hold.
    ///
    /// # Errors
    /// Where serialization fails; then no hold may be granted.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// Reads the JSON of [`Terms::to_json`].
    ///
    /// # Errors
    /// [`MalformedTerms`], a fault of the store: nothing may be charged.
    pub fn from_json(text: &str) -> Result<Self, MalformedTerms> {
        let unchecked: UncheckedTerms = serde_json::from_str(text)?;
        unchecked.try_into()
    }
}
