//! Tests limits at their edge in areas that fill up, and the counts of an area.

use super::*;

#[test]
fn changed_hold_counts_its_own_places_once() {
    let mut hall = hall();
    let change = |number: u8, version: u32, quantity: u32| HoldRequest {
        session: session(1),
        places_per_session: 5,
        expected_version: version,
        ..request(number, vec![floor(quantity)])
    };
    hall.hold(change(1, 1, 3), at(1)).unwrap();
    hall.hold(change(2, 1, 1), at(1)).unwrap();
    assert_eq!(code(hall.change_hold(change(1, 1, 5), at(2))), "limit_reached");
    let changed = hall.change_hold(change(1, 1, 4), at(2)).unwrap();
    assert_eq!((numbers(&changed), hall.held_by(session(1), at(2))), (vec![10, 11, 12, 14], 5));
    hall.release(hold_id(1, 2), at(3)).unwrap();
    assert_eq!(hall.change_hold(change(1, 2, 5), at(3)).map(|record| numbers(&record).len()), Ok(5));
    assert_eq!(hall.snapshot().counts[1].held, 5);
}

#[test]
fn range_ends_where_its_area_is_full() {
    let mut hall = hall();
    let part = |quantity| vec![Pick::Any { range: 10..140, quantity }];
    assert_eq!(numbers(&hall.hold(request(1, part(50)), at(1)).unwrap()), (10..60).collect::<Vec<_>>());
    assert_eq!(numbers(&hall.hold(request(2, part(50)), at(1)).unwrap()), (60..110).collect::<Vec<_>>());
    hall.apply(None, &[effect(63, PlaceState::Free, 2), effect(128, PlaceState::Blocked, 2)], at(2));
    assert_eq!(code(hall.hold(request(3, part(30)), at(3))), "sold_out");
    let last = (110..140).filter(|place| *place != 128).collect::<Vec<_>>();
    assert_eq!(numbers(&hall.hold(request(3, part(29)), at(3)).unwrap()), last);
    assert_eq!(code(hall.hold(request(4, part(1)), at(3))), "sold_out");
    assert_eq!(numbers(&hall.hold(request(4, vec![floor(1)]), at(3)).unwrap()), [140]);
}

#[test]
fn counts_of_an_area_add_up_to_its_size() {
    let mut counts = AreaCounts { free: 1, held: 20, sold: 300, blocked: 4000 };
    assert_eq!(counts.total(), 4321);
    for (state, expected) in
        [(DisplayState::Free, 1), (DisplayState::Held, 20), (DisplayState::Sold, 300), (DisplayState::Blocked, 4000)]
    {
        assert_eq!(*counts.of(state), expected, "{state:?}");
        *counts.of(state) += 1;
    }
    assert_eq!(counts, AreaCounts { free: 2, held: 21, sold: 301, blocked: 4001 });
}

#[test]
fn terms_of_64_kibibytes_are_accepted() {
    let terms = |bytes: usize| HoldRequest { terms: "x".repeat(bytes), ..request(1, seats(&[0])) };
    assert_eq!(code(hall().hold(terms(65_537), at(1))), "too_large");
    assert_eq!(hall().hold(terms(65_536), at(1)).unwrap().terms.len(), 65_536);
}
