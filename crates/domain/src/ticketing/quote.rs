//! Prices a request for places; the only source of a hold's terms, whose prices stay fixed from then on.
//!
//! Prices need an open sale window and a ticket type that fits the place; the total is the sum of the lines (P5). To add a part of a price: a field of
//! [`TermsLine`], its line in `price`, and the invariants in `tests`.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::layout::Area;
use crate::catalog::listing::Listing;
use crate::catalog::price_rule::PriceRule;
use crate::catalog::ticket_type::TicketType;
use crate::ids::TicketTypeId;
use crate::refusal::Refusal;
use crate::ticketing::hold::Pick;
use crate::ticketing::limits;
use crate::ticketing::place_number::PlaceNumber;
use crate::time::Timestamp;

mod amend;
mod price;
mod priced;
mod promo;
mod terms;
#[cfg(test)]
mod tests;

pub use amend::{AmendedHold, amend};
pub use price::{UnitPrice, unit_price};
pub use priced::{PricedPlace, TermsMismatch};
pub use promo::apply_code;
pub use terms::{MalformedTerms, TERMS_VERSION, Terms, TermsLine, Totals};

/// One line of a price request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuoteLine {
    /// The requested places.
    pub pick: Pick,
    /// The ticket type that they are sold as.
    pub ticket_type: TicketTypeId,
}

/// Prices a request at `now`; the terms have one line per line of the request, in its order.
///
/// # Errors
/// `sale_closed`; `limit_reached` with the limit; `invalid_request` with the field (`items[2].ticket_type`, `code`).
pub fn quote(listing: &Listing, lines: &[QuoteLine], code: Option<&str>, now: Timestamp) -> Result<Terms, Refusal> {
    listing.check_on_sale(now)?;
    if lines.is_empty() {
        return Err(Refusal::invalid("items", "Must not be empty."));
    }
    let code = code.map(str::trim).filter(|code| !code.is_empty());
    let rules = Rules::current(listing, code, now)?;
    let priced = price_lines(listing, lines, &rules, &mut BTreeSet::new(), now)?;
    if let Some(rule) = rules.of_code {
        promo::check_effect(&listing.event, rule, &priced)?;
    }
    let priced: Vec<TermsLine> = priced.into_iter().map(|line| line.terms).collect();
    check_limits(listing, &priced)?;
    Ok(Terms::of(&listing.event, code.map(str::to_owned), priced))
}

/// The price rules in force: all automatic ones, and the one of the promo code.
struct Rules<'a> {
    automatic: Vec<&'a PriceRule>,
    of_code: Option<&'a PriceRule>,
}

impl<'a> Rules<'a> {
    fn current(listing: &'a Listing, code: Option<&str>, now: Timestamp) -> Result<Self, Refusal> {
        let of_code = code.map(|code| promo::rule_of_code(listing, code, now)).transpose()?;
        Ok(Self { of_code, ..Self::automatic(listing, now) })
    }

    fn automatic(listing: &'a Listing, now: Timestamp) -> Self {
        let automatic = |rule: &&PriceRule| rule.code.is_none() && rule.is_active(now);
        Self { automatic: listing.price_rules.iter().filter(automatic).collect(), of_code: None }
    }

    /// The price that applies without a code.
    fn automatic_price(&self, ticket_type: TicketTypeId, list: i64) -> i64 {
        let covering = self.automatic.iter().filter(|rule| rule.covers(ticket_type));
        covering.map(|rule| rule.effect.apply(list)).min().unwrap_or(list)
    }

    /// The lowest price, with the code and without.
    fn price(&self, ticket_type: TicketTypeId, list: i64) -> i64 {
        let automatic = self.automatic_price(ticket_type, list);
        let of_code = self.of_code.filter(|rule| rule.covers(ticket_type));
        of_code.map_or(automatic, |rule| automatic.min(rule.effect.apply(list)))
    }
}

/// A priced line and its list price.
struct PricedLine {
    list: i64,
    terms: TermsLine,
}

/// Prices each line; `chosen` collects the single places, since a place cannot be sold twice.
fn price_lines(
    listing: &Listing,
    lines: &[QuoteLine],
    rules: &Rules<'_>,
    chosen: &mut BTreeSet<PlaceNumber>,
    now: Timestamp,
) -> Result<Vec<PricedLine>, Refusal> {
    // Each line has at least one place, so too many lines are refused before any work.
    limits::check_places(&listing.event.limits, lines.len() as u64)?;
    let mut priced = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        let (area, category, quantity) = match &line.pick {
            Pick::Place(place) => {
                let field = || format!("items[{at}].place");
                let area = listing.layout.area_of(*place);
                let area = area.ok_or_else(|| Refusal::invalid(field(), "The event has no such place."))?;
                if !chosen.insert(*place) {
                    return Err(Refusal::invalid(field(), "This place is chosen twice."));
                }
                let category = listing.layout.category(*place);
                let category = category.ok_or_else(|| Refusal::invalid(field(), "The event has no such place."))?;
                (area, category, 1)
            }
            Pick::Any { range, quantity } => {
                let area = listing.layout.area_of(PlaceNumber(range.start));
                let whole = |area: &&Area| !area.is_seated() && area.places() == *range;
                let no_area = || Refusal::invalid(format!("items[{at}].area"), "Must be a general-admission area.");
                let area = area.filter(whole).ok_or_else(no_area)?;
                if *quantity == 0 {
                    return Err(Refusal::invalid(format!("items[{at}].quantity"), "Must be at least 1."));
                }
                (area, listing.layout.category(area.first).ok_or_else(no_area)?, *quantity)
            }
        };
        let ticket_type = fitting(listing, line.ticket_type, area, category, at)?;
        listing.check_type_still_admits(ticket_type.id, now)?;
        let list = ticket_type.price_in(area.id, category).amount;
        let without = rules.automatic_price(ticket_type.id, list);
        let unit = unit_price(&listing.event, list, |list| rules.price(ticket_type.id, list));
        priced.push(PricedLine { list, terms: TermsLine::new(ticket_type, unit, quantity).priced(unit, without) });
    }
    Ok(priced)
}

fn fitting<'a>(
    listing: &'a Listing,
    id: TicketTypeId,
    area: &Area,
    category: &str,
    at: usize,
) -> Result<&'a TicketType, Refusal> {
    let field = || format!("items[{at}].ticket_type");
    let ticket_type =
        listing.ticket_type(id).ok_or_else(|| Refusal::invalid(field(), "The event has no such ticket type."))?;
    if !ticket_type.is_sold_in(area.id, category) {
        let detail = format!("`{}` is not sold for `{}`, {category}.", ticket_type.name, area.name);
        return Err(Refusal::invalid(field(), detail));
    }
    Ok(ticket_type)
}

fn check_limits(listing: &Listing, lines: &[TermsLine]) -> Result<(), Refusal> {
    let mut counts = BTreeMap::new();
    let mut places = 0;
    for line in lines {
        *counts.entry(line.ticket_type).or_insert(0) += u64::from(line.quantity);
        places += u64::from(line.quantity);
    }
    limits::check_places(&listing.event.limits, places)?;
    limits::check_ticket_types(listing, &counts)
}
