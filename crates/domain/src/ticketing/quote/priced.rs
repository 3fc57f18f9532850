//! Terms and granted places joined: one priced line per place, as holds show them and orders keep them.
//!
//! Never: a place without a price or a price without a place. To add a column: a field of [`PricedPlace`], filled in [`Terms::price_places`].

use serde::{Deserialize, Serialize};

use super::Terms;
use crate::catalog::layout::Layout;
use crate::ids::TicketTypeId;
use crate::money::Money;
use crate::ticketing::place::PlaceNumber;

/// One place with what is paid for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedPlace {
    /// Which place.
    pub place: PlaceNumber,
    /// What a ticket says of it.
    pub label: String,
    /// Sold as what.
    pub ticket_type: TicketTypeId,
    /// The ticket type's name at the time of the hold.
    pub ticket_type_name: String,
    /// After price rules.
    pub price: Money,
    /// On top of the price.
    pub fee: Money,
    /// On price and fee: within them where the terms say `tax_included`, else on top.
    pub tax: Money,
}

/// The granted places do not fit the terms: a fault of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TermsMismatch {
    /// Another number of picks, or of places in one of them.
    #[error("the places granted to a hold do not fit its terms")]
    Quantity,
    /// A place that the plan does not have.
    #[error("place {} is not in the event's layout", .0.0)]
    UnknownPlace(PlaceNumber),
}

impl Terms {
    /// One line per granted place, in the order of the picks; `granted` has one list per pick.
    ///
    /// # Errors
    /// [`TermsMismatch`], a fault: nothing may be sold by it.
    pub fn price_places(
        &self,
        layout: &Layout,
        granted: &[Vec<PlaceNumber>],
    ) -> Result<Vec<PricedPlace>, TermsMismatch> {
        if granted.len() != self.lines.len() {
            return Err(TermsMismatch::Quantity);
        }
        let mut priced = Vec::with_capacity(granted.iter().map(Vec::len).sum());
        for (line, places) in self.lines.iter().zip(granted) {
            if places.len() as u64 != u64::from(line.quantity) {
                return Err(TermsMismatch::Quantity);
            }
            for place in places {
                priced.push(PricedPlace {
                    place: *place,
                    label: layout.label(*place).ok_or(TermsMismatch::UnknownPlace(*place))?,
                    ticket_type: line.ticket_type,
                    ticket_type_name: line.name.clone(),
                    price: Money::new(line.price, self.currency),
                    fee: Money::new(line.fee, self.currency),
                    tax: Money::new(line.tax, self.currency),
                });
            }
        }
        Ok(priced)
    }
}
