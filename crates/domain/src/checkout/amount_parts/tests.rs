//! Tests the division of amounts to the cent: tables for the disputed cases, properties for all others.

use proptest::prelude::*;

use super::{AmountParts, LineAmounts, TaxPlacement, TotalMismatch};
use crate::refusal::Code;

const fn line(price: i64, fee: i64, tax: i64) -> LineAmounts {
    LineAmounts { price, fee, tax }
}

const fn parts(net: i64, fee: i64, tax: i64) -> AmountParts {
    AmountParts { net, fee, tax }
}

#[test]
fn line_divides_into_net_fee_and_tax() {
    use TaxPlacement::{OnTop, Within};
    for (amounts, placement, paid, expected) in [
        (line(10_000, 500, 0), Within, 10_500, parts(10_000, 500, 0)),
        (line(10_000, 500, 1_575), OnTop, 12_075, parts(10_000, 500, 1_575)),
        (line(10_000, 500, 1_370), Within, 10_500, parts(8_695, 435, 1_370)),
        (line(11_500, 0, 1_500), Within, 11_500, parts(10_000, 0, 1_500)),
        (line(1, 1, 1), Within, 2, parts(1, 0, 1)),
        (line(3, 1, 4), Within, 4, parts(0, 0, 4)),
        (line(0, 0, 0), Within, 0, parts(0, 0, 0)),
        (line(0, 0, 0), OnTop, 0, parts(0, 0, 0)),
    ] {
        assert_eq!(amounts.paid(placement), paid, "{amounts:?}");
        assert_eq!(amounts.parts(placement), expected, "{amounts:?} {placement:?}");
    }
}

#[test]
fn tax_placement_follows_from_the_total() {
    let lines = [line(1_000, 100, 143), line(500, 0, 65)];
    for (total, expected) in [
        (1_600, Ok(TaxPlacement::Within)),
        (1_808, Ok(TaxPlacement::OnTop)),
        (1_601, Err(TotalMismatch)),
        (0, Err(TotalMismatch)),
    ] {
        assert_eq!(TaxPlacement::of_order(&lines, total), expected, "{total}");
    }
    assert_eq!(TaxPlacement::of_order(&[], 0), Ok(TaxPlacement::Within));
}

#[test]
fn odd_units_go_to_the_largest_remainders() {
    for (left, amount, expected) in [
        (parts(80, 10, 10), 10, parts(8, 1, 1)),
        (parts(1, 1, 1), 1, parts(1, 0, 0)),
        (parts(1, 1, 1), 2, parts(1, 1, 0)),
        (parts(1, 1, 1), 3, parts(1, 1, 1)),
        (parts(70, 20, 10), 7, parts(5, 1, 1)),
        (parts(0, 0, 9), 5, parts(0, 0, 5)),
        (parts(5, 0, 0), 0, parts(0, 0, 0)),
        (parts(0, 0, 0), 0, parts(0, 0, 0)),
        (parts(i64::MAX / 4, i64::MAX / 4, 1), 3, parts(2, 1, 0)),
    ] {
        assert_eq!(left.take(amount), Ok(expected), "{amount} of {left:?}");
    }
    for (left, amount) in [(parts(1, 1, 1), 4), (parts(0, 0, 0), 1), (parts(5, 5, 5), -1)] {
        assert_eq!(left.take(amount).unwrap_err().code, Code::RefundTooLarge, "{amount} of {left:?}");
    }
}

#[test]
fn exact_parts_are_taken_while_available() {
    let left = parts(90, 5, 5);
    assert_eq!(left.take_parts(parts(40, 5, 0)), Ok(parts(40, 5, 0)));
    assert_eq!(left.take_parts(parts(40, 6, 0)), left.take(46));
    assert_eq!(left.take_parts(left), Ok(left));
    assert_eq!(left.take_parts(parts(90, 6, 5)).unwrap_err().code, Code::RefundTooLarge);
}

fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![0..20_i64, 0..1_000_000_i64, 0..1_000_000_000_000_i64]
}

proptest! {
    #[test]
    fn parts_sum_to_what_is_paid(price in amount(), fee in amount(), share in 0..=100_i64) {
        for placement in [TaxPlacement::Within, TaxPlacement::OnTop] {
            let amounts = line(price, fee, (price + fee) / 100 * share);
            let divided = amounts.parts(placement);
            prop_assert_eq!(divided.total(), amounts.paid(placement));
            prop_assert!(divided.net >= 0 && divided.fee >= 0 && divided.tax == amounts.tax, "{:?}", divided);
        }
    }

    #[test]
    fn repeated_partial_refunds_end_at_exactly_zero(net in amount(), fee in amount(), tax in amount(), cuts in prop::collection::vec(0..=1_000_i64, 0..20)) {
        let mut left = parts(net, fee, tax);
        let mut taken = AmountParts::default();
        for cut in cuts {
            let amount = i64::try_from(i128::from(left.total()) * i128::from(cut) / 1_000).unwrap();
            let part = left.take(amount).unwrap();
            prop_assert_eq!(part.total(), amount);
            left = left.minus(part);
            taken = taken.plus(part);
            prop_assert!(left.net >= 0 && left.fee >= 0 && left.tax >= 0, "{:?}", left);
        }
        let rest = left.take(left.total()).unwrap();
        prop_assert_eq!(left.minus(rest), AmountParts::default());
        prop_assert_eq!(taken.plus(rest), parts(net, fee, tax));
    }

    #[test]
    fn share_is_within_one_unit_of_its_proportion(net in amount(), fee in amount(), tax in amount(), cut in 0..=1_000_i64) {
        let left = parts(net, fee, tax);
        let amount = i64::try_from(i128::from(left.total()) * i128::from(cut) / 1_000).unwrap();
        let part = left.take(amount).unwrap();
        for (took, had) in [(part.net, net), (part.fee, fee), (part.tax, tax)] {
            let off = i128::from(took) * i128::from(left.total()) - i128::from(amount) * i128::from(had);
            prop_assert!(off.abs() < i128::from(left.total().max(1)), "{} of {:?} took {:?}", amount, left, part);
        }
    }
}
