//! Tests the most specific price, the places of a ticket type, and every refusal of a draft.

use uuid::Uuid;

use super::*;
use crate::catalog::admission_window::AdmissionTimes;
use crate::catalog::event::{Event, EventLimits, EventState, FeePolicy, SaleWindow, TaxPolicy};
use crate::catalog::layout::{AreaDraft, Layout};
use crate::catalog::number_ranges::AMOUNT_MINOR_MAX;
use crate::ids::{LayoutId, OrganizationId};
use crate::money::Currency;
use crate::refusal::Refusal;
use crate::time::Timestamp;

fn area(n: u128) -> AreaId {
    AreaId::from_uuid(Uuid::from_u128(n))
}

fn event() -> Event {
    Event {
        id: EventId::from_uuid(Uuid::from_u128(1)),
        organization: OrganizationId::from_uuid(Uuid::from_u128(2)),
        name: "Concert".into(),
        layout: LayoutId::from_uuid(Uuid::from_u128(3)),
        starts_at: Timestamp::from_micros(9),
        admission: AdmissionTimes::default(),
        timezone: "UTC".into(),
        sale: SaleWindow { opens_at: Timestamp::from_micros(0), closes_at: Timestamp::from_micros(5) },
        currency: Currency::EUR,
        state: EventState::Draft,
        fees: FeePolicy::default(),
        tax: TaxPolicy::default(),
        entry_rule: crate::scanning::entry::EntryRule::Single,
        limits: EventLimits::default(),
    }
}

fn layout() -> Layout {
    Layout::build(vec![
        AreaDraft::general(area(1), "Field", 100, "Standing"),
        AreaDraft::general(area(2), "Terrace", 50, "VIP"),
    ])
    .unwrap()
}

fn price(area: Option<AreaId>, category: Option<&str>, amount: i64) -> PriceOverride {
    PriceOverride { area, category: category.map(Into::into), amount }
}

fn draft() -> TicketTypeDraft {
    TicketTypeDraft {
        name: " Adult ".into(),
        price: Money::new(1_000, Currency::EUR),
        areas: vec![area(1)],
        categories: vec!["Standing".into()],
        prices: vec![],
        limits: TicketTypeLimits::default(),
        admission: AdmissionTimes::default(),
    }
}

fn checked(draft: TicketTypeDraft) -> Result<TicketType, Refusal> {
    draft.check(TicketTypeId::from_uuid(Uuid::from_u128(7)), &event(), &layout())
}

#[test]
fn most_specific_price_wins() {
    let both = price(Some(area(1)), Some("Standing"), 4);
    let by_area = price(Some(area(1)), None, 3);
    let by_category = price(None, Some("Standing"), 2);
    let elsewhere = price(Some(area(2)), Some("Standing"), 9);
    let rows: &[(&[&PriceOverride], i64)] = &[
        (&[], 1_000),
        (&[&elsewhere], 1_000),
        (&[&by_category], 2),
        (&[&by_area], 3),
        (&[&both], 4),
        (&[&by_category, &by_area], 3),
        (&[&by_area, &by_category], 3),
        (&[&by_category, &both], 4),
        (&[&by_category, &elsewhere, &by_area, &both], 4),
    ];
    for (number, (prices, expected)) in rows.iter().enumerate() {
        let prices = prices.iter().map(|price| (*price).clone()).collect();
        let adult = checked(TicketTypeDraft { prices, ..draft() }).unwrap();
        assert_eq!(adult.price_in(area(1), "Standing"), Money::new(*expected, Currency::EUR), "row {number}");
    }
}

#[test]
fn ticket_type_is_sold_in_its_areas_and_categories_only() {
    let adult = checked(draft()).unwrap();
    let anywhere = TicketType { areas: vec![], ..adult.clone() };
    let any_category = TicketType { categories: vec![], ..adult.clone() };
    let rows = [
        (&adult, area(1), "Standing", true),
        (&adult, area(2), "Standing", false),
        (&adult, area(1), "VIP", false),
        (&adult, area(1), "standing", false),
        (&anywhere, area(2), "Standing", true),
        (&anywhere, area(2), "VIP", false),
        (&any_category, area(1), "VIP", true),
        (&any_category, area(2), "VIP", false),
    ];
    for (number, (ticket_type, area, category, sold)) in rows.into_iter().enumerate() {
        assert_eq!(ticket_type.is_sold_in(area, category), sold, "row {number}");
    }
}

#[test]
fn refused_draft_names_the_wrong_field() {
    type Change = fn(&mut TicketTypeDraft);
    let rows: &[(Change, Option<&str>)] = &[
        (|_| (), None),
        (|draft| draft.name = String::new(), Some("name")),
        (|draft| draft.name = "x".repeat(TICKET_TYPE_NAME_CHARS_MAX), None),
        (|draft| draft.name = "x".repeat(TICKET_TYPE_NAME_CHARS_MAX + 1), Some("name")),
        (|draft| draft.price.currency = Currency::ZAR, Some("price.currency")),
        (|draft| draft.price.amount = 0, None),
        (|draft| draft.price.amount = -1, Some("price.amount")),
        (|draft| draft.price.amount = AMOUNT_MINOR_MAX + 1, Some("price.amount")),
        (|draft| draft.areas = vec![], None),
        (|draft| draft.areas = vec![area(1), area(3)], Some("areas[1]")),
        (|draft| draft.areas = vec![area(1), area(2), area(1)], Some("areas[2]")),
        (|draft| draft.categories = vec!["Seats".into()], Some("categories[0]")),
        (|draft| draft.categories = vec!["VIP".into(), "VIP".into()], Some("categories[1]")),
        (|draft| draft.prices = vec![price(None, None, 5)], Some("prices[0]")),
        (|draft| draft.prices = vec![price(Some(area(9)), None, 5)], Some("prices[0].area")),
        (|draft| draft.prices = vec![price(None, Some("?"), 5)], Some("prices[0].category")),
        (|draft| draft.prices = vec![price(None, Some("VIP"), -5)], Some("prices[0].amount")),
        (|draft| draft.prices = vec![price(None, Some("VIP"), 5), price(None, Some("VIP"), 6)], Some("prices[1]")),
        (|draft| draft.prices = vec![price(None, Some("VIP"), 5); PRICE_OVERRIDES_MAX + 1], Some("prices")),
        (|draft| draft.limits.min_per_hold = 0, Some("limits.min_per_hold")),
        (|draft| draft.limits.min_per_hold = 101, Some("limits.min_per_hold")),
        (|draft| draft.limits.min_per_hold = 11, Some("limits.max_per_hold")),
        (|draft| draft.limits = TicketTypeLimits { min_per_hold: 100, max_per_hold: 100, max_per_buyer: None }, None),
        (|draft| draft.limits.max_per_hold = 101, Some("limits.max_per_hold")),
    ];
    for (number, (change, field)) in rows.iter().enumerate() {
        let mut changed = draft();
        change(&mut changed);
        let got = checked(changed).err().and_then(|refusal| refusal.evidence.field);
        assert_eq!(got.as_deref(), *field, "row {number}");
    }
}
