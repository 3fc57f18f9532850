//! Tests the limit on the places that all sessions of one client address hold at once.

use core::net::IpAddr;

use super::*;

const PLACES_MAX: u32 = 5;

fn address(last: u8) -> Option<IpAddr> {
    Some(IpAddr::from([192, 0, 2, last]))
}

/// A hold of `quantity` places on the floor; each number has a session of its own.
fn from(address: Option<IpAddr>, number: u8, quantity: u32) -> HoldRequest {
    HoldRequest { address, places_per_address: PLACES_MAX, ..request(number, vec![floor(quantity)]) }
}

#[test]
fn sessions_of_one_address_share_its_limit() {
    let mut hall = hall();
    hall.hold(from(address(1), 1, 3), at(1)).unwrap();
    hall.hold(from(address(1), 2, 2), at(1)).unwrap();
    let refusal = hall.hold(from(address(1), 3, 1), at(1)).unwrap_err();
    let limit = refusal.evidence.limit.unwrap();
    assert_eq!((refusal.code, limit.name, limit.most), (Code::LimitReached, "places_per_address_max", 5));
    assert_eq!(code(hall.hold(from(address(2), 3, 6), at(1))), "limit_reached", "one hold above the limit");
    assert!(hall.hold(from(address(2), 3, 5), at(1)).is_ok(), "another address has its own limit");
    assert!(hall.hold(from(None, 4, 50), at(1)).is_ok(), "the platform itself has none");
}

#[test]
fn released_expired_and_ordered_places_no_longer_count() {
    let mut hall = hall();
    let full = |hall: &mut Inventory, seconds| code(hall.hold(from(address(1), 9, 1), at(seconds)));
    hall.hold(from(address(1), 1, 3), at(1)).unwrap();
    hall.hold(from(address(1), 2, 2), at(1)).unwrap();
    assert_eq!(full(&mut hall, 2), "limit_reached");
    hall.release(hold_id(1, 1), at(3)).unwrap();
    hall.hold(from(address(1), 3, 3), at(3)).unwrap();
    assert_eq!(full(&mut hall, 4), "limit_reached");

    hall.apply(Some((hold_id(1, 3), order(1))), &[effect(10, PlaceState::Claimed, 1)], at(5));
    assert_eq!(code(hall.hold(from(address(1), 4, 4), at(5))), "limit_reached", "the other hold still counts");
    hall.hold(from(address(1), 4, 3), at(5)).unwrap();
    assert_eq!(full(&mut hall, 6), "limit_reached");

    hall.apply(None, &[effect(14, PlaceState::Blocked, 1)], at(7));
    let taken = hall.snapshot().counts[1].blocked;
    assert_eq!(taken, 1, "cold has taken a place of the second hold");
    hall.hold(from(address(1), 5, 1), at(7)).unwrap();
    assert_eq!(full(&mut hall, 8), "limit_reached");
    assert!(hall.hold(from(address(1), 6, 5), at(1000)).is_ok(), "all holds have expired");
}

#[test]
fn changed_hold_is_limited_by_its_first_address_and_only_where_it_grows() {
    let change = |version, number, quantity, places_max| HoldRequest {
        expected_version: version,
        places_per_address: places_max,
        ..from(address(7), number, quantity)
    };
    let mut hall = hall();
    hall.hold(from(address(1), 1, 3), at(1)).unwrap();
    hall.hold(from(address(1), 2, 1), at(1)).unwrap();
    assert_eq!(code(hall.change_hold(change(1, 1, 5, 5), at(2))), "limit_reached");
    assert_eq!(hall.change_hold(change(1, 1, 4, 5), at(2)).map(|record| record.version), Ok(2));
    assert_eq!(hall.change_hold(change(2, 1, 4, 1), at(3)).map(|record| record.version), Ok(3), "the same number");
    assert_eq!(hall.change_hold(change(3, 1, 2, 1), at(4)).map(|record| record.version), Ok(4), "fewer");
    assert_eq!(code(hall.change_hold(change(4, 1, 3, 3), at(5))), "limit_reached");
    hall.release(hold_id(1, 2), at(6)).unwrap();
    assert_eq!(hall.change_hold(change(4, 1, 3, 3), at(7)).map(|record| record.version), Ok(5));
    assert!(hall.hold(from(address(7), 3, 5), at(8)).is_ok(), "the later address was never charged");
    hall.hold(from(None, 4, 1), at(9)).unwrap();
    assert!(hall.change_hold(change(1, 4, 40, 1), at(9)).is_ok(), "a hold without an address has no such limit");
}
