//! A ticket type as an organizer gives it, checked against its event and plan.
//!
//! Never: an area or category that the plan does not have. To add a field: here, its check, and its row in `tests`.

use serde::{Deserialize, Serialize};

use super::{PriceOverride, TicketType, TicketTypeLimits};
use crate::catalog::admission::AdmissionTimes;
use crate::catalog::bounds::{amount, within};
use crate::catalog::event::{Event, MAX_PLACES_PER_HOLD, MAX_PLACES_PER_SESSION};
use crate::catalog::layout::Layout;
use crate::catalog::wording::worded;
use crate::ids::{AreaId, TicketTypeId};
use crate::money::Money;
use crate::refusal::Refusal;
use crate::text;

/// Characters of a ticket type's name.
pub const TICKET_TYPE_NAME_MAX: usize = 80;
/// Other prices of one ticket type.
pub const MAX_PRICE_OVERRIDES: usize = 1_000;

/// What an organizer gives to make a ticket type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TicketTypeDraft {
    /// What it is called.
    pub name: String,
    /// The price where no override fits, in the event's currency.
    pub price: Money,
    /// The areas that it is sold for; empty means all.
    #[serde(default)]
    pub areas: Vec<AreaId>,
    /// The categories that it is sold for; empty means all.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Other prices for an area, a category, or both.
    #[serde(default)]
    pub prices: Vec<PriceOverride>,
    /// How many in one hold.
    #[serde(default)]
    pub limits: TicketTypeLimits,
    /// When its tickets admit, where that differs from the event's window.
    #[serde(default, flatten)]
    pub admission: AdmissionTimes,
}

impl TicketTypeDraft {
    /// The ticket type of `event`, whose pinned plan is `layout`.
    ///
    /// # Errors
    /// `invalid_request` naming the field.
    pub fn check(mut self, id: TicketTypeId, event: &Event, layout: &Layout) -> Result<TicketType, Refusal> {
        let name = worded("name", &self.name, TICKET_TYPE_NAME_MAX)?;
        if self.price.currency != event.currency {
            let detail = format!("The event is sold in {}.", event.currency.code());
            return Err(Refusal::invalid("price.currency", detail));
        }
        amount("price.amount", self.price.amount)?;
        // Written as the plan stores them, however the letters are composed.
        let stored = |category: &mut String| *category = text::clean(category).unwrap_or_default();
        self.categories
            .iter_mut()
            .chain(self.prices.iter_mut().filter_map(|price| price.category.as_mut()))
            .for_each(stored);
        let categories = layout.categories();
        for (at, area) in self.areas.iter().enumerate() {
            known_area(format!("areas[{at}]"), *area, layout)?;
            unrepeated(format!("areas[{at}]"), &self.areas[..at], area)?;
        }
        for (at, category) in self.categories.iter().enumerate() {
            known_category(format!("categories[{at}]"), category, &categories)?;
            unrepeated(format!("categories[{at}]"), &self.categories[..at], category)?;
        }
        self.check_prices(layout, &categories)?;
        let TicketTypeLimits { min_per_hold, max_per_hold, max_per_buyer } = self.limits;
        within("limits.min_per_hold", min_per_hold, 1, MAX_PLACES_PER_HOLD)?;
        within("limits.max_per_hold", max_per_hold, min_per_hold, MAX_PLACES_PER_HOLD)?;
        if let Some(most) = max_per_buyer {
            within("limits.max_per_buyer", most, min_per_hold, MAX_PLACES_PER_SESSION)?;
        }
        self.admission.check_type(event.admission_window())?;
        Ok(TicketType {
            id,
            event: event.id,
            name,
            price: self.price,
            areas: self.areas,
            categories: self.categories,
            prices: self.prices,
            limits: self.limits,
            admission: self.admission,
        })
    }

    fn check_prices(&self, layout: &Layout, categories: &[&str]) -> Result<(), Refusal> {
        if self.prices.len() > MAX_PRICE_OVERRIDES {
            return Err(Refusal::invalid("prices", format!("At most {MAX_PRICE_OVERRIDES} other prices.")));
        }
        for (at, price) in self.prices.iter().enumerate() {
            let field = format!("prices[{at}]");
            amount(format!("{field}.amount"), price.amount)?;
            if let Some(area) = price.area {
                known_area(format!("{field}.area"), area, layout)?;
            }
            if let Some(category) = &price.category {
                known_category(format!("{field}.category"), category, categories)?;
            }
            if price.area.is_none() && price.category.is_none() {
                return Err(Refusal::invalid(field, "Must name an area, a category, or both."));
            }
            let same = |other: &PriceOverride| other.area == price.area && other.category == price.category;
            if self.prices[..at].iter().any(same) {
                return Err(Refusal::invalid(field, "Another price is for the same places."));
            }
        }
        Ok(())
    }
}

fn known_area(field: String, area: AreaId, layout: &Layout) -> Result<(), Refusal> {
    layout.area(area).map(|_| ()).ok_or_else(|| Refusal::invalid(field, "The event's layout has no such area."))
}

fn known_category(field: String, category: &str, categories: &[&str]) -> Result<(), Refusal> {
    let known = categories.contains(&category);
    known.then_some(()).ok_or_else(|| Refusal::invalid(field, "The event's layout has no such category."))
}

fn unrepeated<T: PartialEq>(field: String, before: &[T], item: &T) -> Result<(), Refusal> {
    if before.contains(item) { Err(Refusal::invalid(field, "Is in the list already.")) } else { Ok(()) }
}
