//! Tests the JSON of a hold's terms: its exact text, the texts that are refused as malformed, and terms that do not match the granted places.

use super::*;

fn two_lines() -> Terms {
    let mut listing = listing();
    listing.event.tax = TaxPolicy { basis_points: 1_500, included: false };
    quote(&listing, &[seat(0, ADULT), field(2, ADULT)], None, at(150)).unwrap()
}

#[test]
fn terms_json_is_stable() {
    let zero = Uuid::from_u128(ADULT).simple().to_string();
    let line = |price: i64, tax: i64, quantity: u32| {
        format!(
            r#"{{"ticket_type":"tt_{zero}","name":"Adult","price":{price},"fee":0,"tax":{tax},"quantity":{quantity}}}"#
        )
    };
    let expected = format!(
        r#"{{"v":1,"currency":"ZAR","tax_included":false,"lines":[{},{}],"totals":{{"tickets":105000,"fees":0,"tax":15750,"total":120750}}}}"#,
        line(45_000, 6_750, 1),
        line(30_000, 4_500, 2),
    );
    assert_eq!(two_lines().to_json().unwrap(), expected);
}

#[test]
fn terms_with_wrong_sums_or_version_are_malformed() {
    let text = two_lines().to_json().unwrap();
    assert!(Terms::from_json(&text).is_ok());
    let rows: &[(&str, &str, &str)] = &[
        (r#""v":1"#, r#""v":2"#, "Version(2)"),
        (r#""total":120750"#, r#""total":120749"#, "Totals"),
        (r#""quantity":2"#, r#""quantity":3"#, "Totals"),
        (r#""price":45000"#, r#""price":-45000"#, "Totals"),
        (r#""price":45000"#, r#""price":9223372036854775807"#, "Totals"),
        (r#""tax_included":false"#, r#""tax_included":true"#, "Totals"),
        (r#""currency":"ZAR""#, r#""currency":"???""#, "Shape"),
        (r#""lines""#, r#""rows""#, "Shape"),
    ];
    for (from, to, expected) in rows {
        let changed = text.replace(from, to);
        assert_ne!(changed, text, "{from} is in the text");
        let got = format!("{:?}", Terms::from_json(&changed).unwrap_err());
        assert!(got.starts_with(expected), "{from} → {to}: {got}");
        assert!(serde_json::from_str::<Terms>(&changed).is_err(), "as part of another value: {from} → {to}");
    }
}

#[test]
fn granted_places_must_match_the_terms() {
    let (listing, terms) = (listing(), two_lines());
    let priced = terms.price_places(&listing.layout, &[places(&[0]), places(&[9, 20])]).unwrap();
    let got: Vec<_> = priced.iter().map(|line| (line.place.0, line.label.as_str(), line.price.amount)).collect();
    assert_eq!(got, [(0, "Stalls · Row A · Seat 1", 45_000), (9, "Field", 30_000), (20, "Field", 30_000)]);
    let rows: &[(Vec<Vec<PlaceNumber>>, TermsMismatch)] = &[
        (vec![], TermsMismatch::Quantity),
        (vec![places(&[0])], TermsMismatch::Quantity),
        (vec![places(&[0]), places(&[9])], TermsMismatch::Quantity),
        (vec![places(&[0, 1]), places(&[9, 10])], TermsMismatch::Quantity),
        (vec![places(&[0]), places(&[9, 28])], TermsMismatch::UnknownPlace(PlaceNumber(28))),
    ];
    for (granted, expected) in rows {
        assert_eq!(terms.price_places(&listing.layout, granted), Err(*expected), "{granted:?}");
    }
}
