//! Checks the draft of a ticket type against its event and seating plan and turns it into a [`TicketType`].
//!
//! Never: an area or category that is not in the plan. To add a field: here, its check, and its row in `tests`.

use serde::{Deserialize, Serialize};

use super::{PriceOverride, TicketType, TicketTypeLimits};
use crate::catalog::admission_window::AdmissionTimes;
use crate::catalog::event::{Event, PLACES_PER_SESSION_MAX};
use crate::catalog::layout::Layout;
use crate::catalog::number_ranges::{check_amount, check_range};
use crate::ids::{AreaId, TicketTypeId};
use crate::money::Money;
use crate::refusal::Refusal;
use crate::text::{self, single_line};
use crate::ticketing::hold_limits::PLACES_PER_HOLD_MAX;

/// Characters of a ticket type's name.
pub const TICKET_TYPE_NAME_CHARS_MAX: usize = 80;
/// Price overrides of one ticket type.
pub const PRICE_OVERRIDES_MAX: usize = 1_000;

/// The request to create a ticket type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TicketTypeDraft {
    /// Display name.
    pub name: String,
    /// The price where no override matches, in the currency of the event.
    pub price: Money,
    /// Areas in which it is sold; empty means all.
    #[serde(default)]
    pub areas: Vec<AreaId>,
    /// Categories in which it is sold; empty means all.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Prices for an area, a category or both.
    #[serde(default)]
    pub prices: Vec<PriceOverride>,
    /// Quantity limits.
    #[serde(default)]
    pub limits: TicketTypeLimits,
    /// Admission times, where they differ from those of the event.
    #[serde(default, flatten)]
    pub admission: AdmissionTimes,
}

impl TicketTypeDraft {
    /// The checked ticket type of `event`, whose pinned plan is `layout`.
    ///
    /// # Errors
    /// `invalid_request` with the field.
    pub fn check(mut self, id: TicketTypeId, event: &Event, layout: &Layout) -> Result<TicketType, Refusal> {
        let name = single_line("name", &self.name, TICKET_TYPE_NAME_CHARS_MAX)?;
        if self.price.currency != event.currency {
            let detail = format!("The event is sold in {}.", event.currency.code());
            return Err(Refusal::invalid("price.currency", detail));
        }
        check_amount("price.amount", self.price.amount)?;
        // In the stored form of the plan, so that equal categories compare equal.
        let to_stored_form = |category: &mut String| *category = text::clean(category).unwrap_or_default();
        self.categories
            .iter_mut()
            .chain(self.prices.iter_mut().filter_map(|price| price.category.as_mut()))
            .for_each(to_stored_form);
        let categories = layout.categories();
        for (at, area) in self.areas.iter().enumerate() {
            check_known_area(format!("areas[{at}]"), *area, layout)?;
            check_unrepeated(format!("areas[{at}]"), &self.areas[..at], area)?;
        }
        for (at, category) in self.categories.iter().enumerate() {
            check_known_category(format!("categories[{at}]"), category, &categories)?;
            check_unrepeated(format!("categories[{at}]"), &self.categories[..at], category)?;
        }
        self.check_prices(layout, &categories)?;
        let TicketTypeLimits { min_per_hold, max_per_hold, max_per_buyer } = self.limits;
        check_range("limits.min_per_hold", min_per_hold, 1, PLACES_PER_HOLD_MAX)?;
        check_range("limits.max_per_hold", max_per_hold, min_per_hold, PLACES_PER_HOLD_MAX)?;
        if let Some(max) = max_per_buyer {
            check_range("limits.max_per_buyer", max, min_per_hold, PLACES_PER_SESSION_MAX)?;
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
        if self.prices.len() > PRICE_OVERRIDES_MAX {
            return Err(Refusal::invalid("prices", format!("At most {PRICE_OVERRIDES_MAX} prices are allowed.")));
        }
        for (at, price) in self.prices.iter().enumerate() {
            let field = format!("prices[{at}]");
            check_amount(format!("{field}.amount"), price.amount)?;
            if let Some(area) = price.area {
                check_known_area(format!("{field}.area"), area, layout)?;
            }
            if let Some(category) = &price.category {
                check_known_category(format!("{field}.category"), category, categories)?;
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

fn check_known_area(field: String, area: AreaId, layout: &Layout) -> Result<(), Refusal> {
    layout.area(area).map(|_| ()).ok_or_else(|| Refusal::invalid(field, "The event's layout has no such area."))
}

fn check_known_category(field: String, category: &str, categories: &[&str]) -> Result<(), Refusal> {
    let known = categories.contains(&category);
    known.then_some(()).ok_or_else(|| Refusal::invalid(field, "The event's layout has no such category."))
}

fn check_unrepeated<T: PartialEq>(field: String, before: &[T], item: &T) -> Result<(), Refusal> {
    if before.contains(item) { Err(Refusal::invalid(field, "Is in the list already.")) } else { Ok(()) }
}
