//! Rounds a share of an amount to whole minor units; no other code rounds money.
//!
//! Never: a float, or a second rounding formula elsewhere (P5). To add a rule: a variant, its line in [`Rounding::share`], its rows in the test.

/// A rounding rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest unit; exactly between two units, to the higher one.
    HalfUp,
}

impl Rounding {
    /// `amount · numerator / denominator` in whole minor units. The result saturates at the ends of `i64`; a denominator of 0 counts as 1.
    #[must_use]
    pub fn share(self, amount: i64, numerator: u32, denominator: u32) -> i64 {
        let Self::HalfUp = self;
        let denominator = i128::from(denominator.max(1));
        let doubled = 2 * i128::from(amount) * i128::from(numerator) + denominator;
        let rounded = doubled.div_euclid(2 * denominator);
        i64::try_from(rounded).unwrap_or(if rounded < 0 { i64::MIN } else { i64::MAX })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn half_units_are_rounded_up() {
        let rows: &[(i64, u32, u32, i64)] = &[
            (0, 1500, 10_000, 0),
            (1, 4_999, 10_000, 0),
            (1, 5_000, 10_000, 1),
            (3, 5_000, 10_000, 2),
            (-1, 5_000, 10_000, 0),
            (-3, 5_000, 10_000, -1),
            (-3, 5_001, 10_000, -2),
            (45_000, 1_500, 10_000, 6_750),
            (333, 1_500, 10_000, 50),
            (330, 1_500, 10_000, 50),
            (329, 1_500, 10_000, 49),
            (11_500, 1_500, 11_500, 1_500),
            (100, 0, 10_000, 0),
            (7, 1, 0, 7),
            (i64::MAX, 10_000, 10_000, i64::MAX),
            (i64::MAX, u32::MAX, 1, i64::MAX),
            (i64::MIN, u32::MAX, 1, i64::MIN),
        ];
        for (amount, numerator, denominator, expected) in rows {
            let got = Rounding::HalfUp.share(*amount, *numerator, *denominator);
            assert_eq!(got, *expected, "{amount} · {numerator} / {denominator}");
        }
    }

    proptest! {
        #[test]
        fn rounded_share_is_within_half_a_unit(amount in -1_000_000_i64..1_000_000, numerator in 0_u32..20_000, denominator in 1_u32..20_000) {
            let got = i128::from(Rounding::HalfUp.share(amount, numerator, denominator));
            let rest = i128::from(amount) * i128::from(numerator) - got * i128::from(denominator);
            prop_assert!(-i128::from(denominator) <= 2 * rest && 2 * rest < i128::from(denominator));
        }
    }
}
