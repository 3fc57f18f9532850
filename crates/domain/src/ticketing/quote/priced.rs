//! Joins terms with granted places into one priced line per place, which holds show and orders store.
//!
//! Each place has one price, and each price one place. To add a column: a field of [`PricedPlace`], filled in [`Terms::price_places`].

use serde::{Deserialize, Serialize};

use super::Terms;
use crate::catalog::layout::Layout;
use crate::ids::TicketTypeId;
use crate::money::Money;
use crate::ticketing::place_number::PlaceNumber;

/// A granted place with its price, fee and tax.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedPlace {
    /// The granted place.
    pub place: PlaceNumber,
    /// The place's label, as printed on the ticket.
    pub label: String,
    /// The ticket type that the place is sold as.
    pub ticket_type: TicketTypeId,
    /// The ticket type's name at the time of the hold.
    pub ticket_type_name: String,
    /// The price after price rules.
    pub price: Money,
    /// The fee on top of the price.
    pub fee: Money,
    /// The tax on price and fee: within them where the terms have `tax_included`, else on top.
    pub tax: Money,
}

/// The granted places do not match the terms: a fault of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TermsMismatch {
    /// The number of picks differs, or the number of places in one of them.
    #[error("the places granted to a hold do not match its terms")]
    Quantity,
    /// A place that the layout does not have.
    #[error("place {} is not in the event's layout", .0.0)]
    UnknownPlace(PlaceNumber),
}

impl Terms {
    /// One line per granted place, in the order of the picks; `granted` has one list per pick.
    ///
    /// # Errors
    /// [`TermsMismatch`], a fault of the store: the places must not be sold.
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
