//! Tests which missing hold was lost with an earlier epoch, and which holds and tickets a rebuild keeps.

use super::*;

#[test]
fn missing_hold_was_lost_only_where_it_could_still_be_live() {
    let hour = 3600;
    let mut hall = Inventory::install(None, plan(1), at(0)).unwrap();
    for (created, expected) in [
        (-hour - 1, "hold_expired"),
        (-hour, "hold_expired"),
        (-hour + 1, "hold_lost"),
        (-1, "hold_lost"),
        (0, "hold_expired"),
        (1, "hold_expired"),
    ] {
        assert_eq!(code(hall.read_hold(hold_id(created, 1), at(1))), expected, "{created} s after the installation");
    }
    let other_version = HoldId::from_uuid(Uuid::from_u128(7));
    assert_eq!(code(hall.read_hold(other_version, at(1))), "hold_expired");
}

#[test]
fn creation_time_of_a_hold_has_milliseconds() {
    let millis = 1_700_000_000_123;
    let hold = HoldId::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &[1; 10]).into_uuid());
    assert_eq!(id_created_at(hold), Some(Timestamp::from_micros(1_700_000_000_123_000)));
    assert_eq!(id_created_at(HoldId::from_uuid(Uuid::from_u128(7))), None);
}

#[test]
fn inventory_has_holds_until_the_last_one_ends() {
    let mut hall = hall();
    assert!(!hall.has_holds());
    hall.hold(request(1, seats(&[0, 1])), at(1)).unwrap();
    assert!(hall.has_holds());
    assert_eq!(hall.held_by(session(1), at(600)), 2);
    assert_eq!(hall.held_by(session(1), at(601)), 0, "expired");
    assert!(!hall.has_holds());
}

#[test]
fn rebuild_keeps_no_expired_hold_and_none_of_another_plan() {
    let mut old = hall();
    old.hold(request(1, seats(&[0])), at(1)).unwrap();
    old.hold(HoldRequest { lasts_millis: MINUTE, ..request(2, seats(&[1])) }, at(1)).unwrap();
    let held = |new: &Inventory| new.snapshot().counts[0].held;
    assert_eq!(held(&Inventory::install(Some(&old), plan(2), at(60)).unwrap()), 2);
    assert_eq!(held(&Inventory::install(Some(&old), plan(2), at(61)).unwrap()), 1, "at its end a hold has expired");

    let mut longer = plan(2);
    longer.areas[1].places.end = 201;
    assert!(!Inventory::install(Some(&old), longer, at(2)).unwrap().has_holds());
}

#[test]
fn rebuild_keeps_an_ordered_hold_and_the_places_that_it_still_has() {
    let mut old = hall();
    old.hold(request(1, seats(&[0, 1])), at(1)).unwrap();
    let hold = hold_id(1, 1);
    old.apply(Some((hold, order(9))), &[effect(0, PlaceState::Claimed, 1)], at(2));
    let rows = vec![effect(0, PlaceState::Claimed, 1)];
    let mut new = Inventory::install(Some(&old), Install { places: rows, ..plan(2) }, at(3)).unwrap();
    assert_eq!(new.read_hold(hold, at(4)).unwrap().phase, HoldPhase::Claimed { order: order(9) });
    assert_eq!(new.snapshot().counts[0], AreaCounts { free: 8, held: 2, sold: 0, blocked: 0 });
    assert_eq!(new.held_by(session(1), at(4)), 1, "the claimed place belongs to the order");
}

#[test]
fn tickets_of_cold_and_of_the_earlier_epoch_stay_known_after_a_rebuild() {
    let ticket = |number| TicketId::from_uuid(Uuid::from_u128(number));
    let mut old = hall();
    old.mark_admitted(ticket(1));
    old.mark_revoked(&[ticket(2), ticket(3)]);
    let install = Install { admitted: vec![ticket(4)], revoked: vec![ticket(5)], ..plan(2) };
    let new = Inventory::install(Some(&old), install, at(1)).unwrap();
    for (number, expected) in [
        (1, GateFilter::Admitted),
        (2, GateFilter::Revoked),
        (3, GateFilter::Revoked),
        (4, GateFilter::Admitted),
        (5, GateFilter::Revoked),
        (6, GateFilter::Unseen),
    ] {
        assert_eq!(new.gate_filter(ticket(number)), expected, "{number}");
    }
}
