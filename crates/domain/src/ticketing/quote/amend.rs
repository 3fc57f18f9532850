//! A hold changed: some places given back, others added.
//!
//! Never: another price for what stays, since a hold fixes it; a hold left empty (that is a release).
//! To add a kind of change: an argument here, its rows in `tests`.

use std::collections::BTreeSet;

use super::{QuoteLine, Rules, Terms, TermsLine, TermsMismatch, check_limits, price_lines, promo};
use crate::catalog::listing::Listing;
use crate::refusal::Refusal;
use crate::ticketing::hold::Pick;
use crate::ticketing::place::PlaceNumber;
use crate::time::Timestamp;

/// What to ask the inventory for, and its terms: one line per pick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amended {
    /// Each kept place by itself, then what is added.
    pub picks: Vec<Pick>,
    /// Their terms.
    pub terms: Terms,
}

/// The hold of `terms` and `granted` without `remove` and with `add`. What stays keeps its price; what is added is priced at `now`, by the
/// hold's own code where that is still valid. A code that lowers no price of what is left is no longer the hold's. Giving places back needs no open sale.
///
/// # Errors
/// [`TermsMismatch`] outside: a fault. Inside: `invalid_request` (`remove[0]`, `items[1].place`), `limit_reached`, `sale_closed`.
pub fn amend(
    listing: &Listing,
    terms: &Terms,
    granted: &[Vec<PlaceNumber>],
    remove: &[PlaceNumber],
    add: &[QuoteLine],
    now: Timestamp,
) -> Result<Result<Amended, Refusal>, TermsMismatch> {
    let fits = |(line, places): (&TermsLine, &Vec<PlaceNumber>)| places.len() as u64 == u64::from(line.quantity);
    if terms.lines.len() != granted.len() || !terms.lines.iter().zip(granted).all(fits) {
        return Err(TermsMismatch::Quantity);
    }
    Ok(amended(listing, terms, granted, remove, add, now))
}

fn amended(
    listing: &Listing,
    terms: &Terms,
    granted: &[Vec<PlaceNumber>],
    remove: &[PlaceNumber],
    add: &[QuoteLine],
    now: Timestamp,
) -> Result<Amended, Refusal> {
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
        let rules = Rules::now(listing, terms.code.as_deref(), now).unwrap_or_else(|_| Rules::automatic(listing, now));
        lines.extend(price_lines(listing, add, &rules, &mut chosen, now)?.into_iter().map(|line| line.terms));
        picks.extend(add.iter().map(|line| line.pick.clone()));
    }
    if picks.is_empty() {
        return Err(Refusal::invalid("remove", "A hold keeps a place at least; release it instead."));
    }
    check_limits(listing, &lines)?;
    let code = terms.code.as_ref().filter(|_| promo::lowers_a_price(&lines)).cloned();
    let terms = Terms::over(terms.currency, terms.tax_included, code, lines);
    Ok(Amended { picks, terms })
}
