//! Tests the transitions of an event, when it is on sale, and every refusal of a draft.

use uuid::Uuid;

use super::*;
use crate::catalog::number_ranges::AMOUNT_MINOR_MAX;
use crate::state_machine::tests::assert_matrix;
use crate::ticketing::hold_limits::PLACES_PER_HOLD_MAX;

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

fn draft() -> EventDraft {
    EventDraft {
        name: " Concert ".into(),
        layout: LayoutId::from_uuid(Uuid::from_u128(1)),
        starts_at: at(500),
        admission: AdmissionTimes::default(),
        timezone: "africa/johannesburg".into(),
        sale: SaleWindow { opens_at: at(100), closes_at: at(200) },
        currency: Currency::ZAR,
        fees: FeePolicy::default(),
        tax: TaxPolicy::default(),
        entry_rule: EntryRule::Single,
        limits: EventLimits::default(),
    }
}

fn checked(draft: EventDraft) -> Result<Event, Refusal> {
    draft.check(EventId::from_uuid(Uuid::from_u128(2)), OrganizationId::from_uuid(Uuid::from_u128(3)))
}

#[test]
fn transitions_are_exactly_these() {
    assert_matrix::<EventState>(
        "draft: publish→published
         published: pause→paused close→closed
         paused: open→published close→closed
         closed:",
    );
}

#[test]
fn event_is_on_sale_when_published_and_within_its_window() {
    type Row = (EventState, i64, Option<(Code, Option<i64>)>);
    let rows: &[Row] = &[
        (EventState::Published, 99, Some((Code::SaleClosed, Some(100)))),
        (EventState::Published, 100, None),
        (EventState::Published, 199, None),
        (EventState::Published, 200, Some((Code::SaleClosed, None))),
        (EventState::Paused, 99, Some((Code::SaleClosed, None))),
        (EventState::Paused, 150, Some((Code::SaleClosed, None))),
        (EventState::Closed, 150, Some((Code::SaleClosed, None))),
        (EventState::Draft, 150, Some((Code::NotFound, None))),
    ];
    for (state, second, expected) in rows {
        let event = Event { state: *state, ..checked(draft()).unwrap() };
        let got = event.check_on_sale(at(*second)).err().map(|refusal| (refusal.code, refusal.evidence.opens_at));
        assert_eq!(got, expected.map(|(code, opens)| (code, opens.map(at))), "{state} at {second}");
        assert_eq!(event.sale.contains(at(*second)), (100..200).contains(second));
    }
}

#[test]
fn valid_draft_becomes_an_event_with_canonical_name_and_zone() {
    let event = checked(draft()).unwrap();
    assert_eq!((event.name.as_str(), event.timezone.as_str()), ("Concert", "Africa/Johannesburg"));
    assert_eq!(event.state, EventState::Draft);
    for zone in ["Europe/Berlin", "America/Argentina/Buenos_Aires", "UTC", "Asia/Kolkata"] {
        let event = checked(EventDraft { timezone: zone.into(), ..draft() }).unwrap();
        assert_eq!(event.timezone, zone);
    }
}

#[test]
fn refused_draft_names_the_wrong_field() {
    type Change = fn(&mut EventDraft);
    let rows: &[(Change, &str)] = &[
        (|draft| draft.name = " ".into(), "name"),
        (|draft| draft.name = "x".repeat(EVENT_NAME_CHARS_MAX + 1), "name"),
        (|draft| draft.timezone = "Mars/Olympus".into(), "timezone"),
        (|draft| draft.timezone = String::new(), "timezone"),
        (|draft| draft.timezone = "../../etc/passwd".into(), "timezone"),
        (|draft| draft.timezone = "+02:00".into(), "timezone"),
        (|draft| draft.sale.closes_at = draft.sale.opens_at, "sale.closes_at"),
        (|draft| draft.sale.closes_at = at(1), "sale.closes_at"),
        (|draft| draft.currency = Currency::XXX, "currency"),
        (|draft| draft.fees.per_ticket = -1, "fees.per_ticket"),
        (|draft| draft.fees.per_ticket = AMOUNT_MINOR_MAX + 1, "fees.per_ticket"),
        (|draft| draft.fees.basis_points = 10_001, "fees.basis_points"),
        (|draft| draft.tax.basis_points = 10_001, "tax.basis_points"),
        (|draft| draft.limits.places_per_hold = 0, "limits.places_per_hold"),
        (|draft| draft.limits.places_per_hold = PLACES_PER_HOLD_MAX + 1, "limits.places_per_hold"),
        (|draft| draft.limits.places_per_session = 9, "limits.places_per_session"),
        (|draft| draft.limits.places_per_session = PLACES_PER_SESSION_MAX + 1, "limits.places_per_session"),
    ];
    for (number, (change, field)) in rows.iter().enumerate() {
        let mut changed = draft();
        change(&mut changed);
        let refusal = checked(changed).unwrap_err();
        assert_eq!(refusal.code, Code::InvalidRequest);
        assert_eq!(refusal.evidence.field.as_deref(), Some(*field), "row {number}: {refusal}");
    }
    let fits: &[Change] = &[
        |draft| draft.name = "x".repeat(EVENT_NAME_CHARS_MAX),
        |draft| draft.fees = FeePolicy { per_ticket: AMOUNT_MINOR_MAX, basis_points: 10_000 },
        |draft| draft.tax.basis_points = 10_000,
        |draft| draft.limits = EventLimits { places_per_hold: 100, places_per_session: 500 },
        |draft| draft.limits = EventLimits { places_per_hold: 1, places_per_session: 1 },
    ];
    for (number, change) in fits.iter().enumerate() {
        let mut changed = draft();
        change(&mut changed);
        assert!(checked(changed).is_ok(), "row {number}");
    }
}
