//! Tests the effects on a price, when a rule applies, and every refusal of a draft.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::catalog::number_ranges::AMOUNT_MINOR_MAX;
use crate::refusal::Refusal;

fn ticket_type(n: u128) -> TicketTypeId {
    TicketTypeId::from_uuid(Uuid::from_u128(n))
}

fn draft() -> PriceRuleDraft {
    PriceRuleDraft {
        code: Some(" Early-Bird ".into()),
        ticket_types: vec![ticket_type(1)],
        effect: PriceEffect::BasisPointsOff(1_000),
        starts_at: Some(Timestamp::from_micros(10)),
        ends_at: Some(Timestamp::from_micros(20)),
        uses_max: None,
        uses_per_buyer_max: None,
    }
}

fn checked(draft: PriceRuleDraft) -> Result<PriceRule, Refusal> {
    let known = [ticket_type(1), ticket_type(2)];
    draft.check(PriceRuleId::from_uuid(Uuid::from_u128(5)), EventId::from_uuid(Uuid::from_u128(6)), &known)
}

#[test]
fn effect_lowers_the_price_to_zero_at_most() {
    let rows: &[(PriceEffect, i64, i64)] = &[
        (PriceEffect::BasisPointsOff(0), 999, 999),
        (PriceEffect::BasisPointsOff(1_000), 1_000, 900),
        (PriceEffect::BasisPointsOff(1_000), 1_005, 904),
        (PriceEffect::BasisPointsOff(5_000), 1, 0),
        (PriceEffect::BasisPointsOff(5_000), 3, 1),
        (PriceEffect::BasisPointsOff(10_000), 999, 0),
        (PriceEffect::BasisPointsOff(u32::MAX), 999, 0),
        (PriceEffect::AmountOff(100), 250, 150),
        (PriceEffect::AmountOff(250), 250, 0),
        (PriceEffect::AmountOff(i64::MAX), 250, 0),
        (PriceEffect::AmountOff(-5), 250, 250),
        (PriceEffect::Price(100), 250, 100),
        (PriceEffect::Price(300), 250, 250),
        (PriceEffect::Price(0), 250, 0),
        (PriceEffect::Price(-1), 250, 0),
        (PriceEffect::Price(100), 0, 0),
    ];
    for (effect, price, expected) in rows {
        assert_eq!(effect.apply(*price), *expected, "{effect:?} of {price}");
    }
}

#[test]
fn rule_applies_within_its_window_for_its_code_and_ticket_types() {
    let rule = checked(draft()).unwrap();
    assert_eq!(rule.code.as_deref(), Some("Early-Bird"));
    for (micros, current) in [(9, false), (10, true), (19, true), (20, false)] {
        assert_eq!(rule.is_active(Timestamp::from_micros(micros)), current, "{micros}");
    }
    let open = PriceRule { starts_at: None, ends_at: None, ..rule.clone() };
    assert!(open.is_active(Timestamp::from_micros(i64::MIN)) && open.is_active(Timestamp::from_micros(i64::MAX)));
    for (code, same) in [("early-bird", true), (" EARLY-BIRD ", true), ("earlybird", false), ("", false)] {
        assert_eq!(rule.matches_code(code), same, "{code:?}");
    }
    assert!(!PriceRule { code: None, ..rule.clone() }.matches_code(""), "no code is not the empty code");
    assert!(rule.covers(ticket_type(1)) && !rule.covers(ticket_type(2)));
    assert!(PriceRule { ticket_types: vec![], ..rule }.covers(ticket_type(2)));
}

#[test]
fn refused_draft_names_the_wrong_field() {
    type Change = fn(&mut PriceRuleDraft);
    let rows: &[(Change, Option<&str>)] = &[
        (|_| (), None),
        (|draft| draft.code = None, None),
        (|draft| draft.code = Some("x".repeat(PROMO_CODE_CHARS_MAX)), None),
        (|draft| draft.code = Some("x".repeat(PROMO_CODE_CHARS_MAX + 1)), Some("code")),
        (|draft| draft.code = Some("  ".into()), Some("code")),
        (|draft| draft.code = Some("early bird".into()), Some("code")),
        (|draft| draft.ticket_types.push(ticket_type(3)), Some("ticket_types[1]")),
        (|draft| draft.effect = PriceEffect::BasisPointsOff(10_000), None),
        (|draft| draft.effect = PriceEffect::BasisPointsOff(10_001), Some("effect.basis_points_off")),
        (|draft| draft.effect = PriceEffect::AmountOff(-1), Some("effect.amount_off")),
        (|draft| draft.effect = PriceEffect::AmountOff(AMOUNT_MINOR_MAX), None),
        (|draft| draft.effect = PriceEffect::Price(AMOUNT_MINOR_MAX + 1), Some("effect.price")),
        (|draft| draft.ends_at = draft.starts_at, Some("ends_at")),
        (|draft| draft.starts_at = None, None),
    ];
    for (number, (change, field)) in rows.iter().enumerate() {
        let mut changed = draft();
        change(&mut changed);
        let got = checked(changed).err().and_then(|refusal| refusal.evidence.field);
        assert_eq!(got.as_deref(), *field, "row {number}");
    }
}

proptest! {
    #[test]
    fn price_after_an_effect_is_between_zero_and_the_price_before(price in 0..=AMOUNT_MINOR_MAX, points in 0_u32..20_000, minor in any::<i64>()) {
        for effect in [PriceEffect::BasisPointsOff(points), PriceEffect::AmountOff(minor), PriceEffect::Price(minor)] {
            prop_assert!((0..=price).contains(&effect.apply(price)));
        }
    }
}
