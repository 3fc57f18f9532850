//! Tests prices, limits and refusals as tables, and sums and taxes as properties.

use std::sync::Arc;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::catalog::admission_window::AdmissionTimes;
use crate::catalog::event::{Event, EventLimits, EventState, FeePolicy, SaleWindow, TaxPolicy};
use crate::catalog::layout::{AreaDraft, Layout, RowDraft, Seat};
use crate::catalog::price_rule::PriceEffect;
use crate::catalog::ticket_type::{PriceOverride, TicketTypeLimits};
use crate::ids::{AreaId, EventId, LayoutId, OrganizationId, PriceRuleId};
use crate::money::{Currency, Money};
use crate::refusal::Code;

mod amending;
mod codes;
mod hold_terms_json;

const STALLS: u128 = 1;
const FIELD: u128 = 2;
const ADULT: u128 = 10;
const CHILD: u128 = 11;
const VIP: u128 = 12;

fn area(n: u128) -> AreaId {
    AreaId::from_uuid(Uuid::from_u128(n))
}

fn kind(n: u128) -> TicketTypeId {
    TicketTypeId::from_uuid(Uuid::from_u128(n))
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

/// Places 0..4 front row (category Gold), 4..8 back row (Silver), 8..28 the field (Standing); on sale from 100 to 200.
fn listing() -> Listing {
    let row = |name: &str, category: &str| {
        let seats = (1..=4)
            .map(|n| Seat { label: n.to_string(), x: 0.0, y: 0.0, category: category.into(), flags: vec![] })
            .collect();
        RowDraft::new(name, seats)
    };
    let layout = Layout::build(vec![
        AreaDraft::seated(area(STALLS), "Stalls", vec![row("A", "Gold"), row("B", "Silver")]),
        AreaDraft::general(area(FIELD), "Field", 20, "Standing"),
    ])
    .unwrap();
    let event = Event {
        id: EventId::from_uuid(Uuid::from_u128(3)),
        organization: OrganizationId::from_uuid(Uuid::from_u128(4)),
        name: "Concert".into(),
        layout: LayoutId::from_uuid(Uuid::from_u128(5)),
        starts_at: at(300),
        admission: AdmissionTimes::default(),
        timezone: "UTC".into(),
        sale: SaleWindow { opens_at: at(100), closes_at: at(200) },
        currency: Currency::ZAR,
        state: EventState::Published,
        fees: FeePolicy::default(),
        tax: TaxPolicy::default(),
        entry_rule: crate::scanning::entry::EntryRule::Single,
        limits: EventLimits { places_per_hold: 6, places_per_session: 6 },
    };
    let ticket_type = |n: u128, name: &str, amount: i64| TicketType {
        id: kind(n),
        event: event.id,
        name: name.into(),
        price: Money::new(amount, Currency::ZAR),
        areas: vec![],
        categories: vec![],
        prices: vec![],
        limits: TicketTypeLimits::default(),
        admission: AdmissionTimes::default(),
    };
    let mut adult = ticket_type(ADULT, "Adult", 45_000);
    adult.prices = vec![
        PriceOverride { area: Some(area(FIELD)), category: None, amount: 30_000 },
        PriceOverride { area: None, category: Some("Silver".into()), amount: 35_000 },
    ];
    let mut child = ticket_type(CHILD, "Child", 20_000);
    child.areas = vec![area(STALLS)];
    child.limits = TicketTypeLimits { min_per_hold: 2, max_per_hold: 3, max_per_buyer: None };
    let mut vip = ticket_type(VIP, "VIP", 99_999);
    vip.categories = vec!["Gold".into()];
    Listing {
        event,
        layout: Arc::new(layout),
        ticket_types: vec![adult, child, vip],
        retired: vec![],
        price_rules: vec![],
    }
}

fn rule(n: u128, code: Option<&str>, effect: PriceEffect) -> PriceRule {
    PriceRule {
        id: PriceRuleId::from_uuid(Uuid::from_u128(n)),
        event: EventId::from_uuid(Uuid::from_u128(3)),
        code: code.map(Into::into),
        ticket_types: vec![],
        effect,
        starts_at: None,
        ends_at: None,
        uses_max: None,
        uses_per_buyer_max: None,
    }
}

fn seat(place: u32, ticket_type: u128) -> QuoteLine {
    QuoteLine { pick: Pick::Place(PlaceNumber(place)), ticket_type: kind(ticket_type) }
}

fn field(quantity: u32, ticket_type: u128) -> QuoteLine {
    QuoteLine { pick: Pick::Any { range: 8..28, quantity }, ticket_type: kind(ticket_type) }
}

fn places(numbers: &[u32]) -> Vec<PlaceNumber> {
    numbers.iter().copied().map(PlaceNumber).collect()
}

#[test]
fn each_line_gets_its_most_specific_price() {
    let listing = listing();
    let rows: &[(&[QuoteLine], &[i64], i64)] = &[
        (&[seat(0, ADULT)], &[45_000], 45_000),
        (&[seat(4, ADULT)], &[35_000], 35_000),
        (&[field(3, ADULT)], &[30_000], 90_000),
        (&[seat(8, ADULT)], &[30_000], 30_000),
        (&[seat(3, VIP), field(1, ADULT), seat(7, ADULT)], &[99_999, 30_000, 35_000], 164_999),
        (&[seat(0, CHILD), seat(5, CHILD)], &[20_000, 20_000], 40_000),
    ];
    for (number, (lines, prices, total)) in rows.iter().enumerate() {
        let terms = quote(&listing, lines, None, at(150)).unwrap();
        let got: Vec<i64> = terms.lines.iter().map(|line| line.price).collect();
        assert_eq!((got.as_slice(), terms.total()), (*prices, Money::new(*total, Currency::ZAR)), "row {number}");
        assert_eq!(terms.lines[0].name, listing.ticket_type(lines[0].ticket_type).unwrap().name);
    }
}

#[test]
fn invalid_quote_is_refused_with_its_field_or_limit() {
    let listing = listing();
    let many = |n: u32| (0..n).map(|place| seat(place, ADULT)).collect::<Vec<_>>();
    let any =
        |range: std::ops::Range<u32>| QuoteLine { pick: Pick::Any { range, quantity: 1 }, ticket_type: kind(ADULT) };
    let invalid = |field: &'static str| (Code::InvalidRequest, Some(field), None);
    let limited = |name: &'static str, most: u64| (Code::LimitReached, None, Some((name, most)));
    type Row = (Vec<QuoteLine>, i64, (Code, Option<&'static str>, Option<(&'static str, u64)>));
    let rows: Vec<Row> = vec![
        (vec![seat(0, ADULT)], 99, (Code::SaleClosed, None, None)),
        (vec![seat(0, ADULT)], 200, (Code::SaleClosed, None, None)),
        (vec![], 150, invalid("items")),
        (vec![seat(28, ADULT)], 150, invalid("items[0].place")),
        (vec![seat(0, ADULT), seat(u32::MAX, ADULT)], 150, invalid("items[1].place")),
        (vec![seat(0, ADULT), seat(1, ADULT), seat(0, VIP)], 150, invalid("items[2].place")),
        (vec![seat(0, 99)], 150, invalid("items[0].ticket_type")),
        (vec![seat(4, VIP)], 150, invalid("items[0].ticket_type")),
        (vec![field(1, VIP)], 150, invalid("items[0].ticket_type")),
        (vec![field(2, CHILD)], 150, invalid("items[0].ticket_type")),
        (vec![field(0, ADULT)], 150, invalid("items[0].quantity")),
        (vec![any(0..8)], 150, invalid("items[0].area")),
        (vec![any(8..27)], 150, invalid("items[0].area")),
        (vec![any(9..28)], 150, invalid("items[0].area")),
        (vec![any(28..30)], 150, invalid("items[0].area")),
        (many(7), 150, limited(limits::PLACES_PER_HOLD, 6)),
        (vec![field(7, ADULT)], 150, limited(limits::PLACES_PER_HOLD, 6)),
        (vec![field(6, ADULT), seat(0, ADULT)], 150, limited(limits::PLACES_PER_HOLD, 6)),
        (vec![field(u32::MAX, ADULT), field(u32::MAX, ADULT)], 150, limited(limits::PLACES_PER_HOLD, 6)),
        (vec![seat(0, CHILD), seat(1, ADULT)], 150, limited(limits::TICKETS_PER_HOLD_MIN, 2)),
        ((0..4).map(|n| seat(n, CHILD)).collect(), 150, limited(limits::TICKETS_PER_HOLD_MAX, 3)),
    ];
    for (number, (lines, now, expected)) in rows.into_iter().enumerate() {
        let refusal = quote(&listing, &lines, None, at(now)).unwrap_err();
        let limit = refusal.evidence.limit.as_ref().map(|limit| (limit.name, limit.most));
        assert_eq!((refusal.code, refusal.evidence.field.as_deref(), limit), expected, "row {number}: {refusal}");
    }
    assert!(quote(&listing, &many(6), None, at(150)).is_ok(), "the limit itself is allowed");
    assert!(quote(&listing, &[seat(0, CHILD), seat(1, CHILD), seat(2, CHILD)], None, at(100)).is_ok());
}

#[test]
fn lowest_price_rule_wins_and_code_without_effect_is_refused() {
    let mut listing = listing();
    let mut children = rule(4, Some("Kids"), PriceEffect::Price(100));
    children.ticket_types = vec![kind(CHILD)];
    let mut over = rule(5, Some("old"), PriceEffect::Price(1));
    over.ends_at = Some(at(150));
    let mut soon = rule(12, Some("soon"), PriceEffect::Price(1));
    soon.starts_at = Some(at(160));
    let mut not_yet = rule(6, None, PriceEffect::Price(2));
    not_yet.starts_at = Some(at(160));
    listing.price_rules = vec![
        rule(1, None, PriceEffect::BasisPointsOff(1_000)),
        rule(2, Some("Friend"), PriceEffect::AmountOff(10_000)),
        rule(3, Some("FRIEND"), PriceEffect::Price(44_000)),
        children,
        over,
        not_yet,
        rule(7, Some("worse"), PriceEffect::AmountOff(1)),
        rule(8, Some("nought"), PriceEffect::BasisPointsOff(0)),
        rule(9, Some("nothing"), PriceEffect::AmountOff(0)),
        rule(10, Some("dear"), PriceEffect::Price(45_000)),
        rule(11, Some("same"), PriceEffect::Price(40_500)),
        soon,
    ];
    let (over_since, not_begun) =
        (format!("This code was valid until {}.", at(150)), format!("This code is valid from {} on.", at(160)));
    let one = [seat(0, ADULT)];
    type Row<'a> = (&'a [QuoteLine], Option<&'a str>, i64, Result<i64, &'a str>);
    let rows: &[Row<'_>] = &[
        (&one, None, 150, Ok(40_500)),
        (&one, Some(""), 150, Ok(40_500)),
        (&one, Some("  "), 150, Ok(40_500)),
        (&one, Some("friend"), 150, Ok(35_000)),
        (&one, Some(" fRiEnD "), 150, Ok(35_000)),
        (&one, Some("worse"), 150, Err("The price that applies without the code is as low or lower.")),
        (&one, None, 160, Ok(2)),
        (&one, Some("friend"), 160, Err("The price that applies without the code is as low or lower.")),
        (&one, Some("old"), 149, Ok(1)),
        (&one, Some("old"), 150, Err(&over_since)),
        (&one, Some("soon"), 150, Err(&not_begun)),
        (&one, Some("nobody"), 150, Err("This code is unknown.")),
        (&one, Some("nought"), 150, Err("This code takes nothing off the price.")),
        (&one, Some("nothing"), 150, Err("This code takes nothing off the price.")),
        (
            &one,
            Some("dear"),
            150,
            Err("This code sets a price of 450.00 ZAR, which is not below the price of these tickets."),
        ),
        (&one, Some("same"), 150, Err("The price that applies without the code is as low or lower.")),
        (&one, Some("kids"), 150, Err("This code is not for the chosen tickets.")),
        (&[seat(0, CHILD), seat(1, CHILD), seat(2, ADULT)], Some("KIDS"), 150, Ok(40_700)),
    ];
    for (number, (lines, code, now, expected)) in rows.iter().enumerate() {
        let got = quote(&listing, lines, *code, at(*now));
        match (got, expected) {
            (Ok(terms), Ok(total)) => assert_eq!(terms.totals.total, *total, "row {number}"),
            (Err(refusal), Err(detail)) => {
                assert_eq!((refusal.code, refusal.evidence.field.as_deref()), (Code::InvalidRequest, Some("code")));
                assert_eq!(refusal.detail, *detail, "row {number}");
            }
            (got, _) => panic!("row {number}: {got:?}"),
        }
    }
}

#[test]
fn fees_and_tax_are_rounded_half_up_per_ticket() {
    let fee = |per_ticket, basis_points| FeePolicy { per_ticket, basis_points };
    let added = |basis_points| TaxPolicy { basis_points, included: false };
    let included = |basis_points| TaxPolicy { basis_points, included: true };
    // list price, fees, tax → fee, tax, total of one ticket
    type Row = (i64, FeePolicy, TaxPolicy, (i64, i64, i64));
    let rows: &[Row] = &[
        (45_000, fee(0, 0), added(0), (0, 0, 45_000)),
        (45_000, fee(500, 0), added(0), (500, 0, 45_500)),
        (45_000, fee(500, 250), added(0), (1_625, 0, 46_625)),
        (45_000, fee(0, 0), added(1_500), (0, 6_750, 51_750)),
        (45_000, fee(500, 0), added(1_500), (500, 6_825, 52_325)),
        (45_000, fee(0, 0), included(1_500), (0, 5_870, 45_000)),
        (46_000, fee(0, 0), included(1_500), (0, 6_000, 46_000)),
        (45_000, fee(500, 250), included(1_500), (1_625, 6_082, 46_625)),
        (10, fee(0, 500), added(0), (1, 0, 11)),
        (9, fee(0, 500), added(0), (0, 0, 9)),
        (10, fee(0, 0), added(500), (0, 1, 11)),
        (1, fee(0, 0), included(10_000), (0, 1, 1)),
        (3, fee(0, 0), included(10_000), (0, 2, 3)),
        (0, fee(500, 250), added(1_500), (0, 0, 0)),
        (0, fee(500, 250), included(1_500), (0, 0, 0)),
    ];
    for (number, (price, fees, tax, expected)) in rows.iter().enumerate() {
        let mut listing = listing();
        (listing.event.fees, listing.event.tax) = (*fees, *tax);
        listing.ticket_types[0].price.amount = *price;
        let terms = quote(&listing, &[seat(0, ADULT)], None, at(150)).unwrap();
        let line = &terms.lines[0];
        assert_eq!((line.fee, line.tax, terms.totals.total), *expected, "row {number}");
        let two = quote(&listing, &[seat(0, ADULT), seat(1, ADULT)], None, at(150)).unwrap();
        assert_eq!(two.totals.total, 2 * expected.2, "row {number}: tickets are rounded one by one");
    }
}

fn policies() -> impl Strategy<Value = (FeePolicy, TaxPolicy)> {
    (0_i64..5_000, 0_u32..=10_000, 0_u32..=10_000, any::<bool>()).prop_map(|(per_ticket, share, tax, included)| {
        (FeePolicy { per_ticket, basis_points: share }, TaxPolicy { basis_points: tax, included })
    })
}

fn effects() -> impl Strategy<Value = Option<PriceEffect>> {
    prop_oneof![
        Just(None),
        (0_u32..=10_000).prop_map(|points| Some(PriceEffect::BasisPointsOff(points))),
        (0_i64..200_000).prop_map(|amount| Some(PriceEffect::AmountOff(amount))),
        (0_i64..200_000).prop_map(|amount| Some(PriceEffect::Price(amount))),
    ]
}

proptest! {
    /// Totals are the sum of the places; nothing is negative; included tax does not change what is paid, added tax adds exactly itself.
    #[test]
    fn totals_are_the_sum_of_the_places(
        (fees, tax) in policies(),
        effect in effects(),
        price in 0_i64..1_000_000,
        seats in prop::sample::subsequence((0_u32..8).collect::<Vec<_>>(), 0..=3),
        standing in 0_u32..=3,
    ) {
        let mut listing = listing();
        (listing.event.fees, listing.event.tax) = (fees, tax);
        listing.ticket_types[0].price.amount = price;
        listing.price_rules = effect.map(|effect| rule(1, None, effect)).into_iter().collect();
        let mut lines: Vec<QuoteLine> = seats.iter().map(|place| seat(*place, ADULT)).collect();
        let mut granted: Vec<Vec<PlaceNumber>> = seats.iter().map(|place| places(&[*place])).collect();
        if standing > 0 {
            lines.push(field(standing, ADULT));
            granted.push((8..8 + standing).map(PlaceNumber).collect());
        }
        prop_assume!(!lines.is_empty());

        let terms = quote(&listing, &lines, None, at(150)).unwrap();
        let places = terms.price_places(&listing.layout, &granted).unwrap();
        prop_assert_eq!(places.len() as u64, terms.place_count());
        let sum = |part: fn(&PricedPlace) -> Money| {
            places.iter().try_fold(Money::zero(Currency::ZAR), |sum, place| sum.plus(part(place))).unwrap().amount
        };
        let (tickets, fee, on) = (sum(|place| place.price), sum(|place| place.fee), sum(|place| place.tax));
        prop_assert!(places.iter().all(|place| place.price.amount >= 0 && place.fee.amount >= 0 && place.tax.amount >= 0));
        prop_assert_eq!(terms.totals, Totals {
            tickets, fees: fee, tax: on, total: tickets + fee + if tax.included { 0 } else { on },
        });
        prop_assert!(on <= tickets + fee, "tax of at most 100 % is at most what it is on");

        listing.event.tax = TaxPolicy::default();
        let untaxed = quote(&listing, &lines, None, at(150)).unwrap().totals.total;
        prop_assert_eq!(terms.totals.total, untaxed + if tax.included { 0 } else { on });
        prop_assert_eq!(Terms::from_json(&terms.to_json().unwrap()).unwrap(), terms);
    }
}
