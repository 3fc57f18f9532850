//! Words for marks in many writings, their denials, and names that only look like them.

use super::{Meaning, flag, meaning, truth};
use crate::catalog::layout::SeatFlag;

#[test]
fn words_for_marks_are_known_in_many_writings() {
    for (word, expected) in [
        ("Wheelchair Space", Some(SeatFlag::Accessible)),
        ("wheelchair-spaces", Some(SeatFlag::Accessible)),
        ("WheelchairSpace", Some(SeatFlag::Accessible)),
        ("W/C", Some(SeatFlag::Accessible)),
        ("w/c spaces", Some(SeatFlag::Accessible)),
        ("Mobility", Some(SeatFlag::Accessible)),
        ("PMR", Some(SeatFlag::Accessible)),
        ("Rolstoelplaatsen", Some(SeatFlag::Accessible)),
        ("Rollstuhlplätze", Some(SeatFlag::Accessible)),
        ("companion seats", Some(SeatFlag::Companion)),
        ("RestrictedView", Some(SeatFlag::RestrictedView)),
        ("WC", None),
        ("w c", None),
        ("not accessible", None),
        ("vip", None),
        ("s", None),
        ("", None),
    ] {
        assert_eq!(flag(word), expected, "{word}");
    }
    for (text, expected) in [("Yes", Some(true)), ("–", Some(false)), ("Keine", Some(false)), ("perhaps", None)] {
        assert_eq!(truth(text), expected, "{text}");
    }
}

#[test]
fn a_denied_mark_is_no_mark() {
    let says = |flag| Some(Meaning::Says(flag));
    let denies = |flag| Some(Meaning::Denies(flag));
    for (name, expected) in [
        ("Wheelchair spaces (left)", says(SeatFlag::Accessible)),
        ("Block W/C, row 2", says(SeatFlag::Accessible)),
        ("Places PMR", says(SeatFlag::Accessible)),
        ("Platz für Fauteuil roulant", says(SeatFlag::Accessible)),
        ("Wheelchair No 5", says(SeatFlag::Accessible)),
        ("No. 7 wheelchair", says(SeatFlag::Accessible)),
        ("Wheelchair, no companion", says(SeatFlag::Accessible)),
        ("Companion of a wheelchair user", says(SeatFlag::Companion)),
        ("Begleitplatz Rollstuhl", says(SeatFlag::Companion)),
        ("Not wheelchair accessible", denies(SeatFlag::Accessible)),
        ("not accessible", denies(SeatFlag::Accessible)),
        ("NON-ACCESSIBLE", denies(SeatFlag::Accessible)),
        ("nonaccessible", denies(SeatFlag::Accessible)),
        ("Inaccessible", denies(SeatFlag::Accessible)),
        ("no wheelchair", denies(SeatFlag::Accessible)),
        ("No access for wheelchairs", denies(SeatFlag::Accessible)),
        ("nicht barrierefrei", denies(SeatFlag::Accessible)),
        ("Nicht für Rollstühle / Rollstuhlfahrer", denies(SeatFlag::Accessible)),
        ("ohne Rollstuhl", denies(SeatFlag::Accessible)),
        ("wheelchair: no", denies(SeatFlag::Accessible)),
        ("Wheelchair access = false", denies(SeatFlag::Accessible)),
        ("Rollstuhl nicht möglich", denies(SeatFlag::Accessible)),
        ("sans fauteuil roulant", denies(SeatFlag::Accessible)),
        ("niet rolstoeltoegankelijk", denies(SeatFlag::Accessible)),
        ("ohne Begleitung", denies(SeatFlag::Companion)),
        ("Accessible by stairs", None),
        ("WC", None),
        ("Notary row", None),
        ("Norden", None),
        ("Restricted view", None),
    ] {
        assert_eq!(meaning(name), expected, "{name}");
    }
}
