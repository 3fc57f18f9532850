//! Prices a change of a hold: removes some places and adds others.
//!
//! Never: changes the price of a kept place, since a hold fixes it, or leaves a hold without places (release it instead).
//! To add a kind of change: an argument here, and its rows in `tests`.

use std::collections::BTreeSet;

use super::{QuoteLine, Rules, Terms, TermsLine, TermsMismatch, check_limits, price_lines};
use crate::catalog::listing::Listing;
use crate::refusal::Refusal;
use crate::ticketing::hold::Pick;
use crate::ticketing::place_number::PlaceNumber;
use crate::time::Timestamp;

/// The picks to request from the inventory, and their terms with one line per pick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmendedHold {
    /// Each kept place by itself, then the added picks.
    pub picks: Vec<Pick>,
    /// The terms of the whole hold after the change.
    pub terms: Terms,
}

/// The hold of `terms` and `granted` without `remove` and with `add`. Kept places keep their price; added places are priced at `now`, with the
/// hold's code where that is still valid. A code that no longer lowers any price is dropped. Removing places needs no open sale.
///
/// # Errors
/// Outside: [`TermsMismatch`], a fault of the store. Inside: `invalid_request` (`remove[0]`, `items[1].place`), `limit_reached`, `sale_closed`.
pub fn amend(
    listing: &Listing,
    terms: &Terms,
    granted: &[Vec<PlaceNumber>],
    remove: &[PlaceNumber],
    add: &[QuoteLine],
    now: Timestamp,
) -> Result<Result<AmendedHold, Refusal>, TermsMismatch> {
    let fits = |(line, places): (&TermsLine, &Vec<PlaceNumber>)| places.len() as u64 == u64::from(line.quantity);
    if terms.lines.len() != granted.len() || !terms.lines.iter().zip(granted).all(fits) {
        return Err(TermsMismatch::Quantity);
    }
    Ok(amend_checked(listing, terms, granted, remove, add, now))
}

fn amend_checked(
    listing: &Listing,
    terms: &Terms,
    granted: &[Vec<PlaceNumber>],
    remove: &[PlaceNumber],
    add: &[QuoteLine],
    now: Timestamp,
) -> Result<AmendedHold, Refusal> {
    let mut leaving = BTreeSet::new();
    for (at, place) in remove.iter().enumerate() {
        let held = granted.iter().any(|places| places.contains(place));
        if !held || !leaving.insert(*place) {
            return Err(Refusal::invalid(format!("remove[{at}]"), "This place is not in the hold."));
        }
    }
    let mut picks = Vec::new();
    let mut lines = Vec::new();
    let mut chosen = BTreeSet::new();
    for (line, places) in terms.lines.iter().zip(granted) {
        for place in places.iter().filter(|place| !leaving.contains(place)) {
            chosen.insert(*place);
            picks.push(Pick::Place(*place));
            lines.push(TermsLine { quantity: 1, ..line.clone() });
        }
    }
    if !add.is_empty() {
        listing.check_on_sale(now)?;
        let rules =
            Rules::current(listing, terms.code.as_deref(), now).unwrap_or_else(|_| Rules::automatic(listing, now));
        lines.extend(price_lines(listing, add, &rules, &mut chosen, now)?.into_iter().map(|line| line.terms));
        picks.extend(add.iter().map(|line| line.pick.clone()));
    }
    if picks.is_empty() {
        return Err(Refusal::invalid(
            "remove",
            "A hold needs at least one place. Nothing was changed; release the hold instead.",
        ));
    }
    check_limits(listing, &lines)?;
    let code = terms.code.as_ref().filter(|_| lines.iter().any(TermsLine::is_cheaper_by_code)).cloned();
    let terms = Terms::over(terms.currency, terms.tax_included, code, lines);
    Ok(AmendedHold { picks, terms })
}
