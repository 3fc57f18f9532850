//! What one ticket costs: its price after rules, the fee on it, and the tax.
//!
//! Never: a rounding of a sum; each ticket is rounded by itself, so that any of them can be given back to the cent (P5).
//! To add a part: a field of [`UnitPrice`] and its rows in `tests`.

use crate::catalog::bounds::WHOLE;
use crate::catalog::event::Event;
use crate::catalog::rounding::Rounding;

/// The parts of one ticket's price, in minor units of the event's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitPrice {
    /// After price rules; contains its tax where the event says so.
    pub price: i64,
    /// On top; contains its tax where the event says so.
    pub fee: i64,
    /// On price and fee together: within them or on top, as the event says.
    pub tax: i64,
}

/// The price of a ticket whose list price is `list`; `discounted` gives what the price rules leave of it.
#[must_use]
pub fn unit_price(event: &Event, list: i64, discounted: impl FnOnce(i64) -> i64) -> UnitPrice {
    let round = Rounding::HalfUp;
    let price = discounted(list);
    // A free ticket carries no fee.
    let fee = if price == 0 { 0 } else { event.fees.per_ticket + round.share(price, event.fees.basis_points, WHOLE) };
    let points = event.tax.basis_points;
    let whole = if event.tax.included { WHOLE + points } else { WHOLE };
    UnitPrice { price, fee, tax: round.share(price + fee, points, whole) }
}
