//! A promo code that is given after the hold: prices fall or stay, and a code that changes nothing is refused.

use super::*;

/// Seats 0 and 1, held at `code`, with the picks of each by itself.
fn held(listing: &Listing, code: Option<&str>, now: i64) -> Amended {
    let lines = [seat(0, ADULT), seat(1, ADULT)];
    let terms = quote(listing, &lines, code, at(now)).unwrap();
    Amended { picks: lines.into_iter().map(|line| line.pick).collect(), terms }
}

#[test]
fn a_code_given_later_lowers_what_is_held() {
    let mut listing = listing();
    listing.price_rules = vec![
        rule(1, Some("tenth"), PriceEffect::BasisPointsOff(1_000)),
        rule(2, Some("half"), PriceEffect::BasisPointsOff(5_000)),
        rule(3, Some("dear"), PriceEffect::Price(90_000)),
    ];
    let plain = held(&listing, None, 150);
    let tenth = with_code(&listing, plain.clone(), " Tenth ", at(160)).unwrap();
    assert_eq!((tenth.terms.totals.total, tenth.terms.code.as_deref()), (81_000, Some("Tenth")));
    assert_eq!(tenth.picks, plain.picks);
    assert_eq!(with_code(&listing, tenth.clone(), "TENTH", at(160)).unwrap(), tenth, "the same again changes nothing");
    let half = with_code(&listing, tenth, "half", at(160)).unwrap();
    assert_eq!(half.terms.totals.total, 45_000, "it replaces the other one");
    let weaker = with_code(&listing, half, "tenth", at(160)).unwrap_err();
    assert_eq!(weaker.detail, "The code that this hold has already is as good or better.");
    for code in ["dear", "nobody", ""] {
        let refusal = with_code(&listing, plain.clone(), code, at(160)).unwrap_err();
        assert_eq!((refusal.code, refusal.evidence.field.as_deref()), (Code::InvalidRequest, Some("code")), "{code}");
    }
}

#[test]
fn an_empty_code_takes_the_code_off_and_prices_are_those_without_it() {
    let mut listing = listing();
    listing.price_rules = vec![rule(1, Some("gift"), PriceEffect::Price(0))];
    let plain = held(&listing, None, 150);
    let free = held(&listing, Some("gift"), 150);
    assert_eq!(free.terms.totals.total, 0);
    for empty in ["", "  "] {
        assert_eq!(with_code(&listing, free.clone(), empty, at(160)).unwrap(), plain, "{empty:?}");
    }
}

#[test]
fn a_code_that_is_taken_off_or_replaced_leaves_the_price_that_was_held() {
    let mut listing = listing();
    listing.price_rules =
        vec![rule(1, Some("half"), PriceEffect::BasisPointsOff(5_000)), rule(2, Some("gift"), PriceEffect::Price(0))];
    let plain = held(&listing, None, 150);
    let half = held(&listing, Some("half"), 150);
    let free = with_code(&listing, half.clone(), "gift", at(160)).unwrap();
    let mut dearer = listing.clone();
    for ticket_type in &mut dearer.ticket_types {
        ticket_type.price.amount *= 3;
    }
    let mut off_sale = listing.clone();
    off_sale.ticket_types.clear();
    for changed in [&dearer, &off_sale] {
        for discounted in [&half, &free] {
            assert_eq!(with_code(changed, discounted.clone(), "", at(160)).unwrap(), plain);
        }
    }
    let given_later = with_code(&dearer, plain.clone(), "gift", at(160)).unwrap();
    assert_eq!(with_code(&dearer, given_later, "", at(160)).unwrap(), plain);
}

#[test]
fn a_price_that_was_fixed_lower_stays() {
    let mut listing = listing();
    let mut early = rule(1, None, PriceEffect::Price(30_000));
    early.ends_at = Some(at(160));
    listing.price_rules = vec![early, rule(2, Some("tenth"), PriceEffect::BasisPointsOff(1_000))];
    let early = held(&listing, None, 150);
    let refusal = with_code(&listing, early, "tenth", at(170)).unwrap_err();
    assert_eq!(refusal.detail, "The price that applies without the code is as low or lower.");
}
