//! Tests accessible and companion seats: chosen in exactly the requested numbers, which may be zero.

use super::exhaustive_model::halls;
use super::*;

#[test]
fn special_seats_are_chosen_in_the_requested_numbers() {
    use Closeness::{Apart, Neighbouring, Together};
    type Row<'a> = (&'a str, &'a [&'a str], (u32, u32, u32), Option<(&'a [u32], Closeness)>);
    let rows: &[Row<'_>] = &[
        ("a wheelchair alone", &["....", "a..."], (1, 1, 0), Some((&[4], Together))),
        ("with a companion", &["....", "aca.", "acac"], (2, 1, 1), Some((&[5, 6], Together))),
        ("with a companion and a friend", &["....", "xac."], (3, 1, 1), Some((&[5, 6, 7], Together))),
        ("with a friend in an ordinary seat", &["....", "ac.a"], (2, 1, 0), Some((&[6, 7], Together))),
        ("two wheelchairs and two companions", &["xxxx", "acac"], (4, 2, 2), Some((&[4, 5, 6, 7], Together))),
        (
            "the friends sit in the next row",
            &["......", "xxxxxx", "acxx..", "....xx"],
            (4, 1, 1),
            Some((&[12, 13, 18, 19], Neighbouring)),
        ),
        ("no free seat is left alone: not the nearest", &["..a."], (2, 1, 0), Some((&[2, 3], Together))),
        ("no free seat is left alone on the right", &[".a.."], (2, 1, 0), Some((&[0, 1], Together))),
        ("two free seats beside them are not alone", &["...a."], (2, 1, 0), Some((&[2, 3], Together))),
        ("a seat beside a taken one is left alone", &["x..a."], (2, 1, 0), Some((&[3, 4], Together))),
        ("a seat of the row in front is no neighbour", &["....", "..a."], (2, 1, 0), Some((&[6, 7], Together))),
        ("taken ones are not given", &["....", "AcaC"], (1, 1, 0), Some((&[6], Together))),
        (
            "apart where none are adjacent",
            &["a...", "xxxx", "xxxx", "xxxx", "a..."],
            (2, 2, 0),
            Some((&[0, 16], Apart)),
        ),
        ("the nearest companion where none is adjacent", &["a..c", "c..."], (2, 1, 1), Some((&[0, 4], Neighbouring))),
        ("too few accessible seats", &["a...", "...."], (2, 2, 0), None),
        ("too few companion seats", &["aa..", "...."], (2, 1, 1), None),
        ("too few ordinary seats", &["ac.x"], (4, 1, 1), None),
    ];
    for (name, drawing, (quantity, accessible, companions), expected) in rows {
        let party = Party::of(*quantity).with_special_seats(*accessible, *companions).unwrap();
        let got = hall(drawing).chosen(&party);
        let got = got.as_ref().map(|(places, closeness)| (places.as_slice(), *closeness));
        assert_eq!(got, *expected, "{name}");
    }
}

#[test]
fn more_special_seats_than_people_are_refused() {
    for (quantity, accessible, companions, fits) in
        [(1, 1, 0, true), (2, 1, 1, true), (1, 1, 1, false), (1, u32::MAX, 1, false)]
    {
        let got = Party::of(quantity).with_special_seats(accessible, companions);
        assert_eq!(got.err().and_then(|refusal| refusal.evidence.field), (!fits).then(|| "accessible".to_owned()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn random_party_gets_exactly_its_kinds_of_seats(hall in halls(), accessible in 0_u32..3, companions in 0_u32..3, others in 0_u32..4) {
        let quantity = accessible + companions + others;
        let party = Party::of(quantity).with_special_seats(accessible, companions).unwrap();
        let count = |numbers: &mut dyn Iterator<Item = u32>| {
            let mut kinds = [0_u32; 3];
            for number in numbers {
                let flags = &hall.layout.seat(PlaceNumber(number)).unwrap().seat.flags;
                let kind = if flags.contains(&SeatFlag::Accessible) { 0 } else if flags.contains(&SeatFlag::Companion) { 1 } else { 2 };
                kinds[kind] += 1;
            }
            kinds
        };
        let available = count(&mut (0..hall.layout.place_count()).filter(|number| hall.free[*number as usize]));
        let wanted = [accessible, companions, others];
        let enough = quantity > 0 && wanted.iter().zip(&available).all(|(wanted, available)| wanted <= available);
        match hall.chosen(&party) {
            None => prop_assert!(!enough),
            Some((places, _)) => {
                prop_assert!(places.iter().all(|place| hall.free[*place as usize]));
                prop_assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
                prop_assert_eq!(count(&mut places.iter().copied()), wanted);
            }
        }
    }
}
