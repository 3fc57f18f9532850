//! Tests promo codes that are given after the hold: prices fall or stay, and a code without effect is refused.

use super::*;

/// Seats 0 and 1, held with `code`, one pick each.
fn held(listing: &Listing, code: Option<&str>, now: i64) -> AmendedHold {
    let lines = [seat(0, ADULT), seat(1, ADULT)];
    let terms = quote(listing, &lines, code, at(now)).unwrap();
    AmendedHold { picks: lines.into_iter().map(|line| line.pick).collect(), terms }
}

#[test]
fn code_given_after_the_hold_lowers_its_price() {
    let mut listing = listing();
    listing.price_rules = vec![
        rule(1, Some("tenth"), PriceEffect::BasisPointsOff(1_000)),
        rule(2, Some("half"), PriceEffect::BasisPointsOff(5_000)),
        rule(3, Some("dear"), PriceEffect::Price(90_000)),
    ];
    let plain = held(&listing, None, 150);
    let tenth = apply_code(&listing, plain.clone(), " Tenth ", at(160)).unwrap();
    assert_eq!((tenth.terms.totals.total, tenth.terms.code.as_deref()), (81_000, Some("Tenth")));
    assert_eq!(tenth.picks, plain.picks);
    assert_eq!(
        apply_code(&listing, tenth.clone(), "TENTH", at(160)).unwrap(),
        tenth,
        "repeating the code changes nothing"
    );
    let half = apply_code(&listing, tenth, "half", at(160)).unwrap();
    assert_eq!(half.terms.totals.total, 45_000, "the cheaper code replaces the other");
    let weaker = apply_code(&listing, half, "tenth", at(160)).unwrap_err();
    assert_eq!(weaker.detail, "The code that this hold has already is as good or better.");
    for code in ["dear", "nobody", ""] {
        let refusal = apply_code(&listing, plain.clone(), code, at(160)).unwrap_err();
        assert_eq!((refusal.code, refusal.evidence.field.as_deref()), (Code::InvalidRequest, Some("code")), "{code}");
    }
}

#[test]
fn empty_code_removes_the_code_and_restores_prices() {
    let mut listing = listing();
    listing.price_rules = vec![rule(1, Some("gift"), PriceEffect::Price(0))];
    let plain = held(&listing, None, 150);
    let free = held(&listing, Some("gift"), 150);
    assert_eq!(free.terms.totals.total, 0);
    for empty in ["", "  "] {
        assert_eq!(apply_code(&listing, free.clone(), empty, at(160)).unwrap(), plain, "{empty:?}");
    }
}

#[test]
fn removed_or_replaced_code_restores_the_held_price() {
    let mut listing = listing();
    listing.price_rules =
        vec![rule(1, Some("half"), PriceEffect::BasisPointsOff(5_000)), rule(2, Some("gift"), PriceEffect::Price(0))];
    let plain = held(&listing, None, 150);
    let half = held(&listing, Some("half"), 150);
    let free = apply_code(&listing, half.clone(), "gift", at(160)).unwrap();
    let mut dearer = listing.clone();
    for ticket_type in &mut dearer.ticket_types {
        ticket_type.price.amount *= 3;
    }
    let mut off_sale = listing.clone();
    off_sale.ticket_types.clear();
    for changed in [&dearer, &off_sale] {
        for discounted in [&half, &free] {
            assert_eq!(apply_code(changed, discounted.clone(), "", at(160)).unwrap(), plain);
        }
    }
    let given_later = apply_code(&dearer, plain.clone(), "gift", at(160)).unwrap();
    assert_eq!(apply_code(&dearer, given_later, "", at(160)).unwrap(), plain);
}

#[test]
fn lower_held_price_is_kept_when_a_code_is_weaker() {
    let mut listing = listing();
    let mut early = rule(1, None, PriceEffect::Price(30_000));
    early.ends_at = Some(at(160));
    listing.price_rules = vec![early, rule(2, Some("tenth"), PriceEffect::BasisPointsOff(1_000))];
    let early = held(&listing, None, 150);
    let refusal = apply_code(&listing, early, "tenth", at(170)).unwrap_err();
    assert_eq!(refusal.detail, "The price that applies without the code is as low or lower.");
}
