//! Defines ticket types: the products that are sold for places, with prices by area and category, limits and admission times.
//!
//! Never: a price below zero, or in another currency than the event. To add a condition: [`TicketType::is_sold_in`] and its rows in `tests`.

use serde::{Deserialize, Serialize};

use super::admission_window::AdmissionTimes;
use crate::ids::{AreaId, EventId, TicketTypeId};
use crate::money::Money;

mod draft;
#[cfg(test)]
mod tests;

pub use draft::{PRICE_OVERRIDES_MAX, TICKET_TYPE_NAME_CHARS_MAX, TicketTypeDraft};

/// A product that is sold for a place, e.g. adult or child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TicketType {
    /// Unique identifier.
    pub id: TicketTypeId,
    /// The event of the ticket type.
    pub event: EventId,
    /// Display name.
    pub name: String,
    /// The price where no override matches.
    pub price: Money,
    /// Areas in which it is sold; empty means all.
    #[serde(default)]
    pub areas: Vec<AreaId>,
    /// Categories in which it is sold; empty means all.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Prices for an area, a category or both; the most specific one wins (both, then area, then category).
    #[serde(default)]
    pub prices: Vec<PriceOverride>,
    /// Quantity limits.
    #[serde(default)]
    pub limits: TicketTypeLimits,
    /// Admission times, where they differ from those of the event.
    #[serde(default, flatten)]
    pub admission: AdmissionTimes,
}

/// A price for some places.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PriceOverride {
    /// Only in this area, where given.
    #[serde(default)]
    pub area: Option<AreaId>,
    /// Only in this category, where given.
    #[serde(default)]
    pub category: Option<String>,
    /// Minor units of the event's currency.
    pub amount: i64,
}

/// How many tickets of a type one hold, or one buyer, may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketTypeLimits {
    /// Minimum in one hold with any ticket of the type.
    pub min_per_hold: u32,
    /// Maximum in one hold.
    pub max_per_hold: u32,
    /// Maximum of one buyer over all orders.
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
    pub fn is_sold_in(&self, area: AreaId, category: &str) -> bool {
        let in_area = self.areas.is_empty() || self.areas.contains(&area);
        in_area && (self.categories.is_empty() || self.categories.iter().any(|known| known == category))
    }

    /// The price of a place before price rules: the override of area and category, else of the area, else of the category, else the base price.
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
