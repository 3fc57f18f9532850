//! Checks amounts, shares and counts in drafts against their ranges.
//!
//! Never: an amount whose sum over a hold could overflow `i64` (P5). To add a range: a named constant and a row in the test.

use crate::refusal::Refusal;

/// A price, fee or discount in minor units; the sum of a hold of 100 tickets fits into `i64` many times over.
pub const AMOUNT_MINOR_MAX: i64 = 100_000_000_000;
/// 100 % in basis points (hundredths of a percent).
pub const BASIS_POINTS_WHOLE: u32 = 10_000;

/// Refuses an amount that is negative or above [`AMOUNT_MINOR_MAX`].
///
/// # Errors
/// `invalid_request` for `field`.
pub fn check_amount(field: impl Into<String>, minor: i64) -> Result<i64, Refusal> {
    if (0..=AMOUNT_MINOR_MAX).contains(&minor) {
        return Ok(minor);
    }
    Err(Refusal::invalid(field, format!("Must be between 0 and {AMOUNT_MINOR_MAX} minor units.")))
}

/// Refuses a share above 100 %.
///
/// # Errors
/// `invalid_request` for `field`.
pub fn check_basis_points(field: impl Into<String>, points: u32) -> Result<u32, Refusal> {
    check_range(field, points, 0, BASIS_POINTS_WHOLE)
}

/// Refuses a number outside of `min..=max`.
///
/// # Errors
/// `invalid_request` for `field`.
pub fn check_range(field: impl Into<String>, number: u32, min: u32, max: u32) -> Result<u32, Refusal> {
    if (min..=max).contains(&number) {
        return Ok(number);
    }
    Err(Refusal::invalid(field, format!("Must be between {min} and {max}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_accept_their_edges_and_refuse_the_next_number() {
        for (minor, fits) in
            [(-1, false), (0, true), (AMOUNT_MINOR_MAX, true), (AMOUNT_MINOR_MAX + 1, false), (i64::MIN, false)]
        {
            assert_eq!(check_amount("price", minor).is_ok(), fits, "{minor}");
        }
        for (points, fits) in
            [(0, true), (BASIS_POINTS_WHOLE, true), (BASIS_POINTS_WHOLE + 1, false), (u32::MAX, false)]
        {
            assert_eq!(check_basis_points("tax", points).is_ok(), fits, "{points}");
        }
        for (number, fits) in [(1, false), (2, true), (5, true), (6, false)] {
            assert_eq!(check_range("n", number, 2, 5).is_ok(), fits, "{number}");
        }
        assert_eq!(check_range("n", 9, 2, 5).unwrap_err().evidence.field.as_deref(), Some("n"));
    }
}
