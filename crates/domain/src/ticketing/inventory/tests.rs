//! Tests the inventory case by case; the oracle's random runs cover the combinations.

use uuid::Uuid;

use super::*;
use crate::ids::{AreaId, HoldId, OrderId, SessionId, TicketId};
use crate::refusal::Code;
use crate::ticketing::hold::{HoldPhase, HoldRecord, HoldRequest, Pick};
use crate::ticketing::hold_limits::TERMS_BYTES_MAX;
use crate::ticketing::place::{PlaceEffect, PlaceState, PlaceVersion};

mod address_limit;
mod full_areas;
mod lost_holds;
mod truncated_log;

const MINUTE: u64 = 60_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros((1_700_000_000 + seconds) * 1_000_000)
}

/// A version 7 id that was created `seconds` after the start of the tests.
fn hold_id(seconds: i64, number: u8) -> HoldId {
    let millis = u64::try_from(at(seconds).millis()).unwrap();
    HoldId::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &[number; 10]).into_uuid())
}

fn session(number: u128) -> SessionId {
    SessionId::from_uuid(Uuid::from_u128(number))
}

fn order(number: u128) -> OrderId {
    OrderId::from_uuid(Uuid::from_u128(number))
}

/// Seats 0..10, a floor 10..200.
fn plan(epoch: u64) -> Install {
    let span = |id, places, seated| AreaSpan { area: AreaId::from_uuid(Uuid::from_u128(id)), places, seated };
    Install {
        epoch: Epoch(epoch),
        areas: vec![span(1, 0..10, true), span(2, 10..200, false)],
        places: Vec::new(),
        revoked: Vec::new(),
        admitted: Vec::new(),
    }
}

fn hall() -> Inventory {
    Inventory::install(None, plan(1), at(0)).unwrap()
}

fn effect(place: u32, state: PlaceState, version: u32) -> PlaceEffect {
    PlaceEffect { place: PlaceNumber(place), state, owner: None, version: PlaceVersion(version) }
}

fn seats(places: &[u32]) -> Vec<Pick> {
    places.iter().map(|place| Pick::Place(PlaceNumber(*place))).collect()
}

fn floor(quantity: u32) -> Pick {
    Pick::Any { range: 10..200, quantity }
}

fn request(number: u8, picks: Vec<Pick>) -> HoldRequest {
    HoldRequest {
        expected_version: 1,
        address: None,
        places_per_address: u32::MAX,
        hold: hold_id(1, number),
        session: session(u128::from(number)),
        picks,
        terms: "{}".into(),
        lasts_millis: 10 * MINUTE,
        places_per_session: 50,
    }
}

fn numbers(record: &HoldRecord) -> Vec<u32> {
    record.places.iter().flatten().map(|place| place.0).collect()
}

fn code<T: std::fmt::Debug>(answer: Result<T, Refusal>) -> &'static str {
    answer.unwrap_err().code.as_str()
}

#[test]
fn hold_is_granted_on_all_places_or_none() {
    let mut hall = hall();
    let first = hall.hold(request(1, [seats(&[3, 4]), vec![floor(3)]].concat()), at(1)).unwrap();
    assert_eq!(numbers(&first), [3, 4, 10, 11, 12]);
    assert_eq!(first.expires_at, at(601));
    assert_eq!(hall.snapshot().counts[0], AreaCounts { free: 8, held: 2, sold: 0, blocked: 0 });
    assert_eq!(hall.snapshot().counts[1].held, 3);

    let before = hall.snapshot();
    let refusal = hall.hold(request(2, seats(&[2, 3, 4])), at(2)).unwrap_err();
    assert_eq!(refusal.code, Code::PlaceTaken);
    assert_eq!(refusal.evidence.places, [PlaceNumber(3), PlaceNumber(4)]);
    assert_eq!(hall.snapshot(), before, "a refusal writes nothing");

    assert_eq!(hall.hold(request(1, seats(&[9])), at(3)), Ok(first), "repeating the id returns the same hold");
    let other_session = HoldRequest { session: session(7), ..request(1, seats(&[9])) };
    assert_eq!(code(hall.hold(other_session, at(3))), "not_found");
}

#[test]
fn malformed_or_oversized_requests_are_refused() {
    let crowd = |quantity| vec![floor(quantity)];
    let cases: Vec<(&str, HoldRequest, &str)> = vec![
        ("no picks", request(1, vec![]), "invalid_request"),
        ("beyond the last place", request(1, seats(&[200])), "invalid_request"),
        ("named twice", request(1, seats(&[5, 5])), "invalid_request"),
        ("none of a range", request(1, crowd(0)), "invalid_request"),
        ("an empty range", request(1, vec![Pick::Any { range: 12..12, quantity: 1 }]), "invalid_request"),
        ("a range beyond the end", request(1, vec![Pick::Any { range: 10..201, quantity: 1 }]), "invalid_request"),
        ("too long", HoldRequest { lasts_millis: 60 * MINUTE + 1, ..request(1, crowd(1)) }, "invalid_request"),
        ("terms too long", HoldRequest { terms: "x".repeat(TERMS_BYTES_MAX + 1), ..request(1, crowd(1)) }, "too_large"),
        ("over the session's limit", request(1, crowd(51)), "limit_reached"),
        ("over the hold's limit", HoldRequest { places_per_session: 999, ..request(1, crowd(101)) }, "limit_reached"),
        ("quantities that overflow", request(1, vec![floor(u32::MAX), floor(u32::MAX)]), "limit_reached"),
        ("a small range", request(1, vec![Pick::Any { range: 8..10, quantity: 3 }]), "sold_out"),
    ];
    for (case, request, expected) in cases {
        let mut hall = hall();
        assert_eq!(code(hall.hold(request, at(1))), expected, "{case}");
        assert_eq!(hall.position().seq, 0, "{case}");
    }
    let mut hall = hall();
    let largest = HoldRequest { places_per_session: 100, lasts_millis: 60 * MINUTE, ..request(1, crowd(100)) };
    assert_eq!(numbers(&hall.hold(largest, at(1)).unwrap()).len(), 100, "the limits themselves are allowed");
}

#[test]
fn session_limit_counts_all_holds_but_no_orders() {
    let mut hall = hall();
    for number in 0..20 {
        let one = HoldRequest { session: session(1), ..request(number, vec![floor(1)]) };
        hall.hold(one, at(1)).unwrap();
    }
    assert_eq!(hall.held_by(session(1), at(1)), 20);
    let another = HoldRequest { session: session(1), ..request(20, vec![floor(1)]) };
    assert_eq!(code(hall.hold(another.clone(), at(1))), "limit_reached");
    hall.apply(Some((hold_id(1, 0), order(1))), &[effect(10, PlaceState::Claimed, 1)], at(2));
    assert!(hall.hold(another, at(2)).is_ok(), "a hold that became an order does not count");
}

#[test]
fn picks_of_one_request_never_share_a_place() {
    let mut hall = hall();
    let picks = vec![floor(2), Pick::Place(PlaceNumber(10)), Pick::Any { range: 0..200, quantity: 11 }];
    let record = hall.hold(request(1, picks), at(1)).unwrap();
    assert_eq!(record.places[0], [PlaceNumber(11), PlaceNumber(12)]);
    assert_eq!(record.places[2].last(), Some(&PlaceNumber(13)));
}

#[test]
fn expired_holds_are_freed_a_hundred_per_step_and_refused_before() {
    let mut hall = hall();
    for number in 0..150 {
        hall.hold(request(number, vec![floor(1)]), at(1)).unwrap();
    }
    assert_eq!(hall.snapshot().counts[1].held, 150);
    // Holds expire in the order of their ids, in which the version comes before the second digit of the number.
    let last = (0..150).map(|number| hold_id(1, number)).max().unwrap();
    assert!(hall.read_hold(last, at(600)).is_ok(), "a second before its end");
    assert_eq!(code(hall.read_hold(last, at(601))), "hold_expired");
    assert_eq!(hall.snapshot().counts[1].held, 50, "one step expires a hundred");
    assert_eq!(code(hall.pin(last, at(601))), "hold_expired", "expired but not yet freed");
    assert_eq!(hall.free_expired_holds(7, at(602)), 0, "the step of the pin freed the rest");
    assert_eq!(hall.snapshot().counts[1].free, 190);
}

#[test]
fn changed_hold_keeps_common_places_and_is_all_or_nothing() {
    let mut hall = hall();
    hall.hold(request(1, [seats(&[0, 1]), vec![floor(2)]].concat()), at(1)).unwrap();
    hall.hold(request(2, seats(&[5])), at(1)).unwrap();

    assert_eq!(code(hall.change_hold(request(1, seats(&[1, 5])), at(2))), "place_taken");
    assert_eq!(numbers(&hall.read_hold(hold_id(1, 1), at(2)).unwrap()), [0, 1, 10, 11]);

    let after = hall.change_hold(request(1, [seats(&[1, 2]), vec![floor(3)]].concat()), at(60)).unwrap();
    assert_eq!(numbers(&after), [1, 2, 10, 11, 12]);
    assert_eq!(after.expires_at, at(601), "its end stays");
    assert_eq!(hall.held_by(session(1), at(60)), 5);
    let again = request(1, [seats(&[1, 2]), vec![floor(3)]].concat());
    assert_eq!(
        code(hall.change_hold(again.clone(), at(61))),
        "hold_changed",
        "the change was made from an older version"
    );
    let again = hall.change_hold(HoldRequest { expected_version: 2, ..again }, at(61)).unwrap();
    assert_eq!(again, HoldRecord { version: 3, ..after }, "repeating the change moves no place");
    assert_eq!(code(hall.change_hold(request(9, seats(&[1])), at(61))), "hold_expired");
    let other_session = HoldRequest { session: session(2), ..request(1, seats(&[1])) };
    assert_eq!(code(hall.change_hold(other_session, at(61))), "not_found");
}

#[test]
fn repeated_release_changes_nothing() {
    let mut hall = hall();
    hall.hold(request(1, seats(&[0])), at(1)).unwrap();
    assert_eq!(hall.release(hold_id(1, 1), at(2)), Ok(()));
    let position = hall.position();
    assert_eq!(hall.release(hold_id(1, 1), at(3)), Ok(()));
    assert_eq!(hall.position(), position);
    assert_eq!(hall.snapshot().counts[0].free, 10);
}

#[test]
fn pin_keeps_the_end_of_the_hold_and_expires() {
    let mut hall = hall();
    hall.hold(request(1, seats(&[0])), at(1)).unwrap();
    let hold = hold_id(1, 1);
    let pinned = hall.pin(hold, at(530)).unwrap();
    assert_eq!((pinned.expires_at, pinned.phase), (at(601), HoldPhase::Pinned { until: at(590) }));
    assert_eq!(code(hall.release(hold, at(531))), "already_ordered");
    assert_eq!(code(hall.change_hold(request(1, seats(&[1])), at(531))), "already_ordered");
    let again = hall.pin(hold, at(535)).unwrap();
    assert_eq!((again.expires_at, again.phase), (at(601), HoldPhase::Pinned { until: at(595) }));
    assert_eq!(hall.read_hold(hold, at(595)).unwrap().phase, HoldPhase::Active, "the pin expired, the hold is live");

    hall.pin(hold, at(600)).unwrap();
    assert!(hall.read_hold(hold, at(659)).is_ok(), "a pin keeps the hold beyond its end");
    hall.unpin(hold, at(659));
    assert_eq!(code(hall.read_hold(hold, at(659))), "hold_expired", "without the pin the hold expires at its end");
}

#[test]
fn claimed_places_stay_taken_after_release_and_expiry() {
    let mut hall = hall();
    hall.hold(request(1, seats(&[0, 1])), at(1)).unwrap();
    let hold = hold_id(1, 1);
    hall.pin(hold, at(2)).unwrap();
    let claims = [effect(0, PlaceState::Claimed, 1), effect(1, PlaceState::Claimed, 1)];
    hall.apply(Some((hold, order(9))), &claims, at(3));
    assert_eq!(hall.read_hold(hold, at(4)).unwrap().phase, HoldPhase::Claimed { order: order(9) });
    let refusal = hall.pin(hold, at(4)).unwrap_err();
    assert_eq!((refusal.code, refusal.evidence.order), (Code::AlreadyOrdered, Some(order(9))));
    assert_eq!(code(hall.release(hold, at(4))), "already_ordered");
    hall.free_expired_holds(100, at(5000));
    assert_eq!(hall.snapshot().counts[0].held, 2, "no step frees a claimed place");

    hall.apply(None, &[effect(0, PlaceState::Sold, 2), effect(1, PlaceState::Free, 2)], at(5001));
    hall.apply(Some((hold, order(9))), &claims, at(5002));
    let counts = hall.snapshot().counts[0];
    assert_eq!((counts.free, counts.held, counts.sold), (9, 0, 1), "a redelivered claim is ignored");
}

#[test]
fn pin_is_refused_with_the_places_that_cold_assigned_to_others() {
    let mut hall = hall();
    hall.hold(request(1, seats(&[0, 1])), at(1)).unwrap();
    hall.apply(None, &[effect(1, PlaceState::Blocked, 1)], at(2));
    let refusal = hall.pin(hold_id(1, 1), at(3)).unwrap_err();
    assert_eq!((refusal.code, refusal.evidence.places), (Code::PlaceTaken, vec![PlaceNumber(1)]));
    assert_eq!(numbers(&hall.change_hold(request(1, seats(&[0, 2])), at(4)).unwrap()), [0, 2]);
    assert!(hall.pin(hold_id(1, 1), at(5)).is_ok());
    hall.apply(None, &[effect(999, PlaceState::Sold, 1)], at(6));
    assert_eq!(hall.snapshot().counts[0].blocked, 1, "an effect on an unknown place is ignored");
}

#[test]
fn claim_that_arrives_after_its_release_leaves_no_place_held() {
    let mut hall = hall();
    hall.hold(request(1, seats(&[0])), at(1)).unwrap();
    let hold = hold_id(1, 1);
    hall.pin(hold, at(2)).unwrap();
    hall.apply(None, &[effect(0, PlaceState::Free, 2)], at(3));
    assert_eq!(hall.snapshot().counts[0].held, 1, "the hold keeps its place");
    hall.apply(Some((hold, order(9))), &[effect(0, PlaceState::Claimed, 1)], at(4));
    assert_eq!(hall.snapshot().counts[0].free, 10);
}

#[test]
fn rebuild_keeps_holds_without_conflict_and_newer_versions() {
    let mut old = hall();
    old.hold(request(1, seats(&[0])), at(1)).unwrap();
    old.hold(request(2, seats(&[1, 2])), at(1)).unwrap();
    old.hold(HoldRequest { lasts_millis: 1, ..request(3, seats(&[3])) }, at(1)).unwrap();
    old.apply(None, &[effect(4, PlaceState::Sold, 3)], at(2));
    let used = TicketId::from_uuid(Uuid::from_u128(5));
    old.mark_admitted(used);

    assert!(matches!(
        Inventory::install(Some(&old), plan(1), at(3)),
        Err(InstallRefused::EpochNotHigher { offered: Epoch(1), installed: Epoch(1) })
    ));
    let rows = vec![effect(2, PlaceState::Claimed, 1), effect(4, PlaceState::Claimed, 2)];
    let mut new = Inventory::install(Some(&old), Install { places: rows, ..plan(2) }, at(3)).unwrap();
    assert_eq!(new.position(), Position { epoch: Epoch(2), seq: 0 });
    assert_eq!(new.read_hold(hold_id(1, 1), at(4)).unwrap().epoch, Epoch(1), "survives");
    assert_eq!(code(new.read_hold(hold_id(1, 2), at(4))), "hold_lost");
    let counts = new.snapshot().counts[0];
    assert_eq!((counts.free, counts.held, counts.sold), (7, 2, 1), "a version that arrived after cold was read stays");
    assert_eq!(new.gate_filter(used), GateFilter::Admitted);
    assert!(matches!(new.changes_since(old.position()), CatchUp::Snapshot(_)));

    let bare = Inventory::install(None, plan(3), at(5)).unwrap().read_hold(hold_id(1, 1), at(6));
    assert_eq!(code(bare), "hold_lost", "an empty store decides by the age of the id");
}

#[test]
fn install_with_gaps_or_unknown_places_is_refused() {
    let mut holes = plan(1);
    holes.areas[1].places.start = 11;
    assert!(matches!(Inventory::install(None, holes, at(0)), Err(InstallRefused::Malformed(10))));
    let beyond = Install { places: vec![effect(200, PlaceState::Sold, 1)], ..plan(1) };
    assert!(matches!(Inventory::install(None, beyond, at(0)), Err(InstallRefused::Malformed(200))));
}

#[test]
fn change_log_returns_every_step_once_until_it_is_truncated() {
    let mut hall = hall();
    let start = hall.position();
    hall.hold(request(1, seats(&[7])), at(1)).unwrap();
    hall.pin(hold_id(1, 1), at(2)).unwrap();
    let CatchUp::Changes(changes) = hall.changes_since(start) else { panic!("expected changes") };
    assert_eq!(changes.iter().map(|change| change.position.seq).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(changes[0].places, [(PlaceNumber(7), DisplayState::Held)]);
    assert!(changes[1].places.is_empty());
    assert_eq!(hall.changes_since(hall.position()), CatchUp::Changes(vec![]));

    for version in 1..=u32::try_from(LOG_STEPS_MAX).unwrap() {
        hall.apply(None, &[effect(8, PlaceState::Blocked, version)], at(3));
    }
    let kept = Position { seq: 2, ..start };
    assert!(matches!(hall.changes_since(kept), CatchUp::Changes(changes) if changes.len() == LOG_STEPS_MAX));
    assert!(matches!(hall.changes_since(Position { seq: 1, ..start }), CatchUp::Snapshot(_)));
    let ahead = Position { seq: u64::MAX, ..start };
    assert!(matches!(hall.changes_since(ahead), CatchUp::Snapshot(_)));
}

#[test]
fn clock_never_goes_backwards() {
    let mut hall = hall();
    hall.hold(request(1, seats(&[0])), at(100)).unwrap();
    let late = hall.hold(request(2, seats(&[1])), at(50)).unwrap();
    assert_eq!(late.expires_at, at(700));
}

#[test]
fn revoked_ticket_stays_revoked_after_a_late_admission() {
    let ticket = TicketId::from_uuid(Uuid::from_u128(1));
    let mut hall = hall();
    assert_eq!(hall.gate_filter(ticket), GateFilter::Unseen);
    hall.mark_admitted(ticket);
    assert_eq!(hall.gate_filter(ticket), GateFilter::Admitted);
    hall.mark_revoked(&[ticket]);
    hall.mark_admitted(ticket);
    assert_eq!(hall.gate_filter(ticket), GateFilter::Revoked);
}
