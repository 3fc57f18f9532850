//! Tests changes of a hold: kept places keep their price, and the limits apply to the whole hold.

use super::*;

/// Seats 0 and 4 and two of the field (8, 9), held at list prices: 45,000 + 35,000 + 2 · 30,000.
fn held() -> (Listing, Terms, Vec<Vec<PlaceNumber>>) {
    let listing = listing();
    let lines = [seat(0, ADULT), seat(4, ADULT), field(2, ADULT)];
    let terms = quote(&listing, &lines, None, at(150)).unwrap();
    (listing, terms, vec![places(&[0]), places(&[4]), places(&[8, 9])])
}

#[test]
fn kept_places_keep_their_price() {
    let (mut listing, terms, granted) = held();
    listing.ticket_types[0].price.amount = 50_000;
    listing.ticket_types[0].prices.clear();
    let amended = amend(&listing, &terms, &granted, &places(&[4, 9]), &[seat(1, ADULT), field(1, ADULT)], at(160))
        .unwrap()
        .unwrap();
    let pick = |place| Pick::Place(PlaceNumber(place));
    assert_eq!(amended.picks, [pick(0), pick(8), pick(1), Pick::Any { range: 8..28, quantity: 1 }]);
    let prices: Vec<_> = amended.terms.lines.iter().map(|line| (line.price, line.quantity)).collect();
    assert_eq!(prices, [(45_000, 1), (30_000, 1), (50_000, 1), (50_000, 1)]);
    assert_eq!(amended.terms.totals.total, 175_000);
}

#[test]
fn removing_places_needs_no_open_sale_but_adding_does() {
    let (listing, terms, granted) = held();
    let after_the_sale = at(500);
    let fewer = amend(&listing, &terms, &granted, &places(&[0]), &[], after_the_sale).unwrap().unwrap();
    assert_eq!(fewer.terms.totals.total, 95_000);
    let more = amend(&listing, &terms, &granted, &[], &[seat(1, ADULT)], after_the_sale).unwrap();
    assert_eq!(more.unwrap_err().code, Code::SaleClosed);
}

#[test]
fn valid_code_applies_to_added_places() {
    let mut listing = listing();
    let mut friend = rule(1, Some("friend"), PriceEffect::Price(10));
    friend.ends_at = Some(at(160));
    listing.price_rules = vec![friend];
    let terms = quote(&listing, &[seat(0, ADULT)], Some("FRIEND"), at(150)).unwrap();
    for (now, total) in [(159, 20), (160, 45_010)] {
        let amended = amend(&listing, &terms, &[places(&[0])], &[], &[seat(1, ADULT)], at(now)).unwrap().unwrap();
        assert_eq!((amended.terms.totals.total, amended.terms.code.as_deref()), (total, Some("FRIEND")));
    }
}

#[test]
fn code_is_dropped_with_the_last_place_that_it_discounts() {
    let mut listing = listing();
    let mut child = rule(1, Some("child"), PriceEffect::Price(10));
    child.ticket_types = vec![kind(CHILD)];
    listing.price_rules = vec![child];
    let terms = quote(&listing, &[seat(0, ADULT), seat(1, CHILD), seat(4, CHILD)], Some("child"), at(150)).unwrap();
    let granted = [places(&[0]), places(&[1]), places(&[4])];
    for (remove, code) in [(&[0][..], Some("child")), (&[], Some("child")), (&[1, 4], None)] {
        let amended = amend(&listing, &terms, &granted, &places(remove), &[], at(150)).unwrap().unwrap();
        assert_eq!(amended.terms.code.as_deref(), code, "without {remove:?}");
    }
}

#[test]
fn invalid_change_is_refused_with_its_field() {
    let (listing, terms, granted) = held();
    type Row<'a> = (&'a [u32], &'a [QuoteLine], Code, Option<&'a str>);
    let rows: &[Row<'_>] = &[
        (&[1], &[], Code::InvalidRequest, Some("remove[0]")),
        (&[0, 0], &[], Code::InvalidRequest, Some("remove[1]")),
        (&[0, 4, 8, 9], &[], Code::InvalidRequest, Some("remove")),
        (&[], &[seat(0, ADULT)], Code::InvalidRequest, Some("items[0].place")),
        (&[], &[seat(1, ADULT), seat(28, ADULT)], Code::InvalidRequest, Some("items[1].place")),
        (&[], &[field(3, ADULT)], Code::LimitReached, None),
        (&[], &[seat(1, CHILD)], Code::LimitReached, None),
    ];
    for (number, (remove, add, code, field)) in rows.iter().enumerate() {
        let refusal = amend(&listing, &terms, &granted, &places(remove), add, at(150)).unwrap().unwrap_err();
        assert_eq!((refusal.code, refusal.evidence.field.as_deref()), (*code, *field), "row {number}: {refusal}");
    }
    // A removed place may be added again in the same change, at the current price.
    let again = amend(&listing, &terms, &granted, &places(&[0, 4, 8, 9]), &[seat(0, ADULT)], at(150)).unwrap();
    assert_eq!(again.unwrap().picks, [Pick::Place(PlaceNumber(0))]);
}

#[test]
fn granted_places_that_mismatch_the_terms_are_a_fault() {
    let (listing, terms, granted) = held();
    assert_eq!(amend(&listing, &terms, &granted[..2], &[], &[], at(150)), Err(TermsMismatch::Quantity));
    let fewer = [places(&[0]), places(&[4]), places(&[8])];
    assert_eq!(amend(&listing, &terms, &fewer, &[], &[], at(150)), Err(TermsMismatch::Quantity));
}
