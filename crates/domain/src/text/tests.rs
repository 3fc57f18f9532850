//! Tests the cleaning rule as tables of kept, changed and refused texts, and the comparison keys.

use proptest::prelude::*;

use super::*;

#[test]
fn typed_text_is_kept_cleaned_or_refused() {
    let kept = [
        "Concertgebouw",
        "Rang Ä–Ω",
        "劇場",
        "می\u{200c}خواهم",
        "ක්\u{200d}ෂ",
        "👩\u{200d}👩\u{200d}👧",
        "❤\u{fe0f}\u{200d}🔥",
        "1\u{fe0f}\u{20e3}",
        "שלום\u{200e} (א)",
        "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        "葛\u{e0100}城",
        "क्\u{200d}ष",
        "#\u{fe0f}\u{20e3} *\u{fe0f}\u{20e3}",
        "\u{1820}\u{180b}\u{1821}",
        "\u{1780}\u{17b4}\u{1781}",
        "\u{1100}\u{1160}\u{11a8}",
        "각\u{115f}\u{1161}",
        "ا\u{61c}1",
    ];
    for text in kept {
        assert_eq!(clean(text).as_deref(), Ok(text), "{text:?}");
    }
    for (text, expected) in [
        ("  Ann Ó Briain \r\n", "Ann Ó Briain"),
        ("Su\u{308}d", "Süd"),
        ("\u{feff}Gold\u{200b}", "Gold"),
        ("Gold\u{200e}", "Gold"),
        ("Gold\u{fe0f}", "Gold"),
        ("\u{202a}+49 30\u{202c}", "+49 30"),
        ("VIP\u{a0}Front", "VIP Front"),
        ("VIP\tFront", "VIP Front"),
        ("山田\u{3000}太郎", "山田 太郎"),
    ] {
        assert_eq!(clean(text).as_deref(), Ok(expected), "{text:?}");
    }
    for (text, fault) in [
        ("", TextFault::Empty),
        (" \r\n\t", TextFault::Empty),
        ("\u{200b}", TextFault::Empty),
        ("\u{3164}", TextFault::Empty),
        ("\u{2800}", TextFault::Empty),
        ("\u{200d}\u{fe0f}\u{ad} ", TextFault::Empty),
        ("a\nb", TextFault::Control),
        ("a\r\nBcc: b", TextFault::Control),
        ("a\u{2028}b", TextFault::Control),
        ("a\0b", TextFault::Control),
        ("\0", TextFault::Control),
        ("end\0", TextFault::Control),
        ("a\u{1b}[31m", TextFault::Control),
        ("\u{202e}", TextFault::Invisible('\u{202e}')),
        ("right\u{202e}left", TextFault::Invisible('\u{202e}')),
        ("\u{202d}left", TextFault::Invisible('\u{202d}')),
        ("zero\u{200b}width", TextFault::Invisible('\u{200b}')),
        ("zero\u{200d}width", TextFault::Invisible('\u{200d}')),
        ("soft\u{ad}hyphen", TextFault::Invisible('\u{ad}')),
        ("left\u{200e}right", TextFault::Invisible('\u{200e}')),
        ("a\u{2066}b", TextFault::Invisible('\u{2066}')),
        ("a\u{e0061}b", TextFault::Invisible('\u{e0061}')),
        ("a\u{ffff}", TextFault::Invisible('\u{ffff}')),
    ] {
        assert_eq!(clean(text), Err(fault), "{text:?}");
    }
}

#[test]
fn invisible_character_is_refused_where_it_changes_no_neighbour() {
    for (text, refused) in [
        ("a\u{1fffe}", '\u{1fffe}'),
        ("a\u{fdd0}", '\u{fdd0}'),
        ("a\u{fff9}", '\u{fff9}'),
        // Joiners need letters of joining scripts on both sides.
        ("ک\u{200d}a", '\u{200d}'),
        ("a\u{200c}ک", '\u{200c}'),
        ("ἀ\u{200d}ἀ", '\u{200d}'),
        ("–\u{200d}–", '\u{200d}'),
        // A selector needs something that it can change.
        ("a\u{fe0f}b", '\u{fe0f}'),
        ("1\u{fe0f}b", '\u{fe0f}'),
        ("a\u{fe0f}\u{20e3}", '\u{fe0f}'),
        ("a\u{e0100}b", '\u{e0100}'),
        ("a\u{180b}b", '\u{180b}'),
        ("a\u{17b4}b", '\u{17b4}'),
        ("a\u{1160}b", '\u{1160}'),
        // A direction mark is no sign of a script that needs it.
        ("a\u{61c}b", '\u{61c}'),
    ] {
        assert_eq!(clean(text), Err(TextFault::Invisible(refused)), "{text:?}");
    }
    assert_eq!(clean("a\u{7f}b"), Err(TextFault::Control));
}

#[test]
fn length_limit_counts_the_characters_of_the_stored_form() {
    assert_eq!(single_line("name", "a\u{308}a\u{308} ", 2).as_deref(), Ok("ää"));
    assert_eq!(single_line("name", "äää", 2).unwrap_err().detail, "Must have at most 2 characters.");
    let refused = single_line("name", "a\u{202e}b", 9).unwrap_err();
    assert_eq!(refused.detail, "Must not contain U+202E, an invisible character.");
    assert_eq!(refused.evidence.field.as_deref(), Some("name"));
    assert_eq!(optional_line("reason", " \n", 9).as_deref(), Ok(""));
    assert_eq!(optional_line("reason", "\0", 9).unwrap_err().detail, "Must not contain control characters.");
    assert_eq!(multi_line("address", " Main St 1\r\n 1010 Vienna \n\n", 40).as_deref(), Ok("Main St 1\n1010 Vienna"));
    assert!(multi_line("address", "a\nb\0", 40).is_err());
    assert!(multi_line("address", "ab\ncd", 4).is_err());
}

#[test]
fn repair_drops_refused_characters_and_reports_the_change() {
    for (text, expected, changed) in [
        ("Rang\r\nSüd", "Rang Süd", true),
        ("Gold\u{200b}en", "Golden", true),
        (" Gold ", "Gold", false),
        ("", "", false),
        ("\u{200b}", "", false),
        ("Go\u{1}ld", "Gold", true),
        ("a\n\r\nb", "a b", true),
        ("Go\u{ffff}ld", "", true),
    ] {
        assert_eq!(repair(text), (expected.to_owned(), changed), "{text:?}");
    }
}

#[test]
fn controls_and_zero_width_characters_are_what_scanners_add_unseen() {
    for character in ['\0', '\n', '\u{7f}', '\u{200b}', '\u{200f}', '\u{202a}', '\u{2066}', '\u{feff}'] {
        assert!(is_control_or_zero_width(character), "{character:?}");
    }
    for character in ['a', '0', ' ', 'é', '\u{a0}', '\u{ad}', '\u{2010}', '劇'] {
        assert!(!is_control_or_zero_width(character), "{character:?}");
    }
}

#[test]
fn text_from_another_system_is_repaired_and_truncated() {
    for (text, expected) in [
        ("sbx_1", "sbx_1"),
        ("a\0b", "ab"),
        ("\0", ""),
        ("a\u{1b}[31mb", "a[31mb"),
        ("a\u{202e}b", "ab"),
        ("a\r\nb", "a b"),
        ("12345678", "12345678"),
        ("123456789", "12345678"),
    ] {
        assert_eq!(repair_and_truncate(text, 8), expected, "{text:?}");
    }
    assert_eq!(repair_and_truncate(&"é".repeat(100_000), 8), "é".repeat(8));
    assert_eq!(repair_and_truncate(&"\0".repeat(100_000), 8), "");
}

#[test]
fn look_alike_promo_codes_have_one_key() {
    for (one, other) in [
        ("SUMMER10", "summer10"),
        ("SUMMER10", "SUMMER1O"),
        ("SUMMER10", " summer10\u{200b} "),
        ("SUM\u{ad}MER", "SUMMER"),
        ("SAVE", "ЅАVЕ"),
        ("ＳＡＶＥ", "save"),
        ("ILL", "lll"),
        ("ill", "1LL"),
        ("BEAR", "ВЕАR"),
        ("straße", "STRASSE"),
        ("Caf\u{e9}", "CAFE\u{301}"),
        ("corner", "comer"),
    ] {
        assert!(looks_alike(one, other), "{one} {other}");
    }
    for (one, other) in [("SUMMER10", "SUMMER20"), ("VIP", "NIP"), ("ABC", "ABCD"), ("cafe", "café")] {
        assert!(!looks_alike(one, other), "{one} {other}");
    }
    assert_eq!(promo_code_key("Sum\u{200b}mer 10"), promo_code_key("SUMMER10"));
    for typed in ["\u{2}SUMMER10\r\n", "summer\r\n10", "\tSummer10\t", "\u{ff33}\u{ff35}MM\u{ff25}R\u{3000}\u{ff11}0"] {
        assert_eq!(promo_code_key(typed), promo_code_key("SUMMER10"), "{typed:?}");
    }
    assert_eq!(folded("ＦＬＯＯＲ "), "floor");
}

#[test]
fn single_line_is_trimmed_and_limited_and_names_its_field() {
    let rows: &[(&str, Result<&str, &str>)] = &[
        ("Balcony", Ok("Balcony")),
        ("  Balcony\t", Ok("Balcony")),
        ("Rang Ä–Ω", Ok("Rang Ä–Ω")),
        ("ÄÄÄÄÄÄÄÄ", Ok("ÄÄÄÄÄÄÄÄ")),
        ("ÄÄÄÄÄÄÄÄÄ", Err("Must have at most 8 characters.")),
        ("Su\u{308}d", Ok("Süd")),
        ("", Err("Must not be empty.")),
        (" \n ", Err("Must not be empty.")),
        ("\u{200b}", Err("Must not be empty.")),
        ("a\nb", Err("Must not contain control characters.")),
        ("a\u{0}b", Err("Must not contain control characters.")),
    ];
    for (text, expected) in rows {
        match (single_line("name", text, 8), expected) {
            (Ok(got), Ok(wanted)) => assert_eq!(got, *wanted),
            (Err(refusal), Err(detail)) => {
                assert_eq!(refusal.detail, *detail, "{text:?}");
                assert_eq!(refusal.evidence.field.as_deref(), Some("name"));
            }
            (got, wanted) => panic!("{text:?}: {got:?} instead of {wanted:?}"),
        }
    }
}

proptest! {
    /// A stored text passes the rule unchanged and has no refused character.
    #[test]
    fn clean_text_is_unchanged_by_cleaning_again(text in "\\PC{0,12}|[a\u{308}\u{200d}\u{200b}\u{202e}\u{fe0f} \n\u{0}☃ی\u{200e}]{0,8}") {
        if let Ok(once) = clean(&text) {
            prop_assert_eq!(clean(&once), Ok(once.clone()));
            let refused = ['\0', '\n', '\u{202e}', '\u{200b}'];
            prop_assert!(!once.contains(refused));
        }
        let (repaired, _) = repair(&text);
        prop_assert!(repaired.is_empty() || clean(&repaired).is_ok());
    }
}
