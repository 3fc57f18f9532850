//! Computes what one ticket costs: its price after rules, its fee and its tax.
//!
//! Never: rounds a sum. Each ticket is rounded by itself, so that any ticket can be refunded to the cent (P5).
//! To add a part: a field of [`UnitPrice`] and its rows in `tests`.

use crate::catalog::event::Event;
use crate::catalog::number_ranges::BASIS_POINTS_WHOLE;
use crate::catalog::rounding::Rounding;

/// The parts of one ticket's price, in minor units of the event's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitPrice {
    /// The price after price rules; contains its tax where the event includes tax.
    pub price: i64,
    /// The fee on top of the price; contains its tax where the event includes tax.
    pub fee: i64,
    /// The tax on price and fee: within them where the event includes tax, else on top.
    pub tax: i64,
}

/// The price of a ticket with the list price `list`; `discounted` applies the price rules.
#[must_use]
pub fn unit_price(event: &Event, list: i64, discounted: impl FnOnce(i64) -> i64) -> UnitPrice {
    let round = Rounding::HalfUp;
    let price = discounted(list);
    // A free ticket carries no fee.
    let fee = if price == 0 {
        0
    } else {
        event.fees.per_ticket + round.share(price, event.fees.basis_points, BASIS_POINTS_WHOLE)
    };
    let points = event.tax.basis_points;
    let whole = if event.tax.included { BASIS_POINTS_WHOLE + points } else { BASIS_POINTS_WHOLE };
    UnitPrice { price, fee, tax: round.share(price + fee, points, whole) }
}
