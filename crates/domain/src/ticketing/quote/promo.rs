//! Applies promo codes, and refuses a code that lowers no price of the chosen tickets, with the reason.
//!
//! A code without effect is refused, so that a buyer sees before paying that the price stays. To add a reason: its sentence here, and its row in `tests`.

use super::{AmendedHold, PricedLine, Rules, Terms, TermsLine, unit_price};
use crate::catalog::event::Event;
use crate::catalog::layout::Layout;
use crate::catalog::listing::Listing;
use crate::catalog::price_rule::{PriceEffect, PriceRule};
use crate::money::Money;
use crate::refusal::Refusal;
use crate::text::promo_code_key;
use crate::ticketing::hold::Pick;
use crate::ticketing::place_number::PlaceNumber;
use crate::time::Timestamp;

/// Finds the rule of a code that is valid at `now`.
///
/// # Errors
/// `invalid_request` naming `code`, with the reason.
pub(super) fn rule_of_code<'a>(listing: &'a Listing, code: &str, now: Timestamp) -> Result<&'a PriceRule, Refusal> {
    let rule = listing.price_rules.iter().find(|rule| rule.matches_code(code));
    let rule = rule.ok_or_else(|| refused("This code is unknown."))?;
    if let Some(start) = rule.starts_at.filter(|start| now < *start) {
        return Err(refused(format!("This code is valid from {start} on.")));
    }
    match rule.ends_at.filter(|end| *end <= now) {
        Some(end) => Err(refused(format!("This code was valid until {end}."))),
        None => Ok(rule),
    }
}

/// Checks that the code lowers the price of at least one line.
///
/// # Errors
/// `invalid_request` naming `code`, with the reason.
pub(super) fn check_effect(event: &Event, rule: &PriceRule, lines: &[PricedLine]) -> Result<(), Refusal> {
    let covered: Vec<&PricedLine> = lines.iter().filter(|line| rule.covers(line.terms.ticket_type)).collect();
    if covered.is_empty() {
        return Err(refused("This code is not for the chosen tickets."));
    }
    if covered.iter().any(|line| line.terms.is_cheaper_by_code()) {
        return Ok(());
    }
    if covered.iter().all(|line| line.list == 0) {
        return Err(refused("These tickets are free without a code."));
    }
    if covered.iter().any(|line| rule.effect.apply(line.list) < line.list) {
        return Err(refused("The price that applies without the code is as low or lower."));
    }
    Err(refused(match rule.effect {
        PriceEffect::BasisPointsOff(_) | PriceEffect::AmountOff(_) => {
            "This code takes nothing off the price.".to_owned()
        }
        PriceEffect::Price(amount) => {
            format!(
                "This code sets a price of {}, which is not below the price of these tickets.",
                Money::new(amount, event.currency)
            )
        }
    }))
}

/// Removes the code from a hold: each line gets back the price that it was held for.
fn without_code(event: &Event, held: AmendedHold) -> AmendedHold {
    let lines = held.terms.lines.into_iter().map(|line| full_price(event, line)).collect();
    let terms = Terms::over(held.terms.currency, held.terms.tax_included, None, lines);
    AmendedHold { picks: held.picks, terms }
}

fn full_price(event: &Event, line: TermsLine) -> TermsLine {
    match line.without_code {
        Some(full) => line.priced(unit_price(event, full, |full| full), full),
        None => line,
    }
}

/// Applies a code to a hold. No price rises; a code that the hold has is replaced where the new one makes the hold cheaper.
/// An empty code removes the one that the hold has.
///
/// # Errors
/// `invalid_request` naming `code`, with the reason.
pub fn apply_code(listing: &Listing, held: AmendedHold, code: &str, now: Timestamp) -> Result<AmendedHold, Refusal> {
    let code = code.trim();
    if code.is_empty() {
        let has_code = held.terms.code.is_some();
        return if !has_code { Err(refused("Give a code.")) } else { Ok(without_code(&listing.event, held)) };
    }
    if held.terms.code.as_deref().is_some_and(|own| promo_code_key(own) == promo_code_key(code)) {
        return Ok(held);
    }
    let rules = Rules::current(listing, Some(code), now)?;
    let total_before = held.terms.totals.total;
    let lines: Vec<PricedLine> =
        held.picks.iter().zip(held.terms.lines).map(|(pick, line)| reprice(listing, &rules, pick, line)).collect();
    if let Some(rule) = rules.of_code {
        check_effect(&listing.event, rule, &lines)?;
    }
    let lines = lines.into_iter().map(|line| line.terms).collect();
    let terms = Terms::over(held.terms.currency, held.terms.tax_included, Some(code.to_owned()), lines);
    if terms.totals.total >= total_before {
        return Err(refused("The code that this hold has already is as good or better."));
    }
    Ok(AmendedHold { picks: held.picks, terms })
}

/// Prices a held line by the rules in force; never above the price that it was held for.
fn reprice(listing: &Listing, rules: &Rules<'_>, pick: &Pick, line: TermsLine) -> PricedLine {
    let line = full_price(&listing.event, line);
    let held = line.price;
    let found = listing.ticket_type(line.ticket_type).zip(place_of(&listing.layout, pick));
    // A ticket type that went off sale keeps its price.
    let Some((ticket_type, (area, category))) = found else {
        return PricedLine { list: held, terms: line };
    };
    let list = ticket_type.price_in(area, category).amount;
    let price = rules.price(ticket_type.id, list).min(held);
    let unit = unit_price(&listing.event, list, |_| price);
    PricedLine { list, terms: line.priced(unit, held) }
}

fn place_of<'a>(layout: &'a Layout, pick: &Pick) -> Option<(crate::ids::AreaId, &'a str)> {
    let place = match pick {
        Pick::Place(place) => *place,
        Pick::Any { range, .. } => PlaceNumber(range.start),
    };
    Some((layout.area_of(place)?.id, layout.category(place)?))
}

fn refused(reason: impl Into<String>) -> Refusal {
    Refusal::invalid("code", reason)
}
