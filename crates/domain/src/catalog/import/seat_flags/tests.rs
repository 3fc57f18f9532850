//! Tests words for seat flags in many spellings, their denials, and names that only look similar.

use super::{Meaning, flag_of_word, meaning_of_name, parse_bool};
use crate::catalog::layout::SeatFlag;

#[test]
fn flag_words_are_recognized_in_many_spellings() {
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
        assert_eq!(flag_of_word(word), expected, "{word}");
    }
    for (text, expected) in [("Yes", Some(true)), ("–", Some(false)), ("Keine", Some(false)), ("perhaps", None)] {
        assert_eq!(parse_bool(text), expected, "{text}");
    }
}

#[test]
fn denied_flag_is_not_affirmed() {
    let affirms = |flag| Some(Meaning::Affirms(flag));
    let denies = |flag| Some(Meaning::Denies(flag));
    for (name, expected) in [
        ("Wheelchair spaces (left)", affirms(SeatFlag::Accessible)),
        ("Block W/C, row 2", affirms(SeatFlag::Accessible)),
        ("Places PMR", affirms(SeatFlag::Accessible)),
        ("Platz für Fauteuil roulant", affirms(SeatFlag::Accessible)),
        ("Wheelchair No 5", affirms(SeatFlag::Accessible)),
        ("No. 7 wheelchair", affirms(SeatFlag::Accessible)),
        ("Wheelchair, no companion", affirms(SeatFlag::Accessible)),
        ("Companion of a wheelchair user", affirms(SeatFlag::Companion)),
        ("Begleitplatz Rollstuhl", affirms(SeatFlag::Companion)),
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
        assert_eq!(meaning_of_name(name), expected, "{name}");
    }
}
