//! What is sold for a place: a name, a price (by area and category), and for which places it fits.
//!
//! Never: a price below zero or in another currency than the event's. To add a condition of fitting: [`TicketType::fits`] and its rows in `tests`.

use serde::{Deserialize, Serialize};

use super::admission::AdmissionTimes;
use crate::ids::{AreaId, EventId, TicketTypeId};
use crate::money::Money;

mod draft;
#[cfg(test)]
mod tests;

pub use draft::{MAX_PRICE_OVERRIDES, TICKET_TYPE_NAME_MAX, TicketTypeDraft};

/// A kind of ticket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TicketType {
    /// Its identifier.
    pub id: TicketTypeId,
    /// For which event.
    pub event: EventId,
    /// What it is called.
    pub name: String,
    /// The price where no override fits.
    pub price: Money,
    /// The areas that it is sold for; empty means all.
    #[serde(default)]
    pub areas: Vec<AreaId>,
    /// The categories that it is sold for; empty means all.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Other prices for an area, a category, or both; the most specific wins (both, then area, then category).
    #[serde(default)]
    pub prices: Vec<PriceOverride>,
    /// How many in one hold.
    #[serde(default)]
    pub limits: TicketTypeLimits,
    /// When its tickets admit, where that differs from the event's window.
    #[serde(default, flatten)]
    pub admission: AdmissionTimes,
}

/// Another price for some places.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PriceOverride {
    /// In this area only, where given.
    #[serde(default)]
    pub area: Option<AreaId>,
    /// In this category only, where given.
    #[serde(default)]
    pub category: Option<String>,
    /// Minor units of the event's currency.
    pub amount: i64,
}

/// How many of a ticket type one hold, or one buyer, may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketTypeLimits {
    /// At least this many, where any.
    pub min_per_hold: u32,
    /// At most this many.
    pub max_per_hold: u32,
    /// At most this many for one buyer, over all orders.
    #[serde(default)]
    pub max_per_buyer: Option<u32>,
}

impl Default for TicketTypeLimits {
    fn default() -> Self {
        Self { min_per_hold: 1, max_per_hold: 10, max_per_buyer: None }
    }
}

impl TicketType {
    /// True where it is sold for places of this area and category.
    #[must_use]
    pub fn fits(&self, area: AreaId, category: &str) -> bool {
        let in_area = self.areas.is_empty() || self.areas.contains(&area);
        in_area && (self.categories.is_empty() || self.categories.iter().any(|known| known == category))
    }

    /// The price of a place, before price rules: of area and category, else of the area, else of the category, else the base.
    #[must_use]
    pub fn price_in(&self, area: AreaId, category: &str) -> Money {
        let specific = |wanted_area: Option<AreaId>, wanted_category: Option<&str>| {
            self.prices.iter().find(|price| price.area == wanted_area && price.category.as_deref() == wanted_category)
        };
        let other = specific(Some(area), Some(category))
            .or_else(|| specific(Some(area), None))
            .or_else(|| specific(None, Some(category)));
        other.map_or(self.price, |price| Money::new(price.amount, self.price.currency))
    }
}
