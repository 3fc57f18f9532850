//! Ranges of the numbers in the catalogue: amounts, shares, counts.
//!
//! Never: an amount so large that the sum over a hold could leave `i64` (P5). To add a range: a named constant and a row in the test.

use crate::refusal::Refusal;

/// The largest price, fee or discount in minor units; a hold of 100 tickets stays far within `i64`.
pub const MAX_AMOUNT: i64 = 100_000_000_000;
/// A whole, in hundredths of a percent.
pub const WHOLE: u32 = 10_000;

/// Refuses an amount that is negative or above [`MAX_AMOUNT`].
///
/// # Errors
/// `invalid_request` for `field`.
pub fn amount(field: impl Into<String>, minor: i64) -> Result<i64, Refusal> {
    if (0..=MAX_AMOUNT).contains(&minor) {
        return Ok(minor);
    }
    Err(Refusal::invalid(field, format!("Must be between 0 and {MAX_AMOUNT} minor units.")))
}

/// Refuses a share above a whole.
///
/// # Errors
/// `invalid_request` for `field`.
pub fn basis_points(field: impl Into<String>, points: u32) -> Result<u32, Refusal> {
    within(field, points, 0, WHOLE)
}

/// Refuses a number outside `least..=most`.
///
/// # Errors
/// `invalid_request` for `field`.
pub fn within(field: impl Into<String>, number: u32, least: u32, most: u32) -> Result<u32, Refusal> {
    if (least..=most).contains(&number) {
        return Ok(number);
    }
    Err(Refusal::invalid(field, format!("Must be between {least} and {most}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_at_their_edges() {
        for (minor, fits) in [(-1, false), (0, true), (MAX_AMOUNT, true), (MAX_AMOUNT + 1, false), (i64::MIN, false)] {
            assert_eq!(amount("price", minor).is_ok(), fits, "{minor}");
        }
        for (points, fits) in [(0, true), (WHOLE, true), (WHOLE + 1, false), (u32::MAX, false)] {
            assert_eq!(basis_points("tax", points).is_ok(), fits, "{points}");
        }
        for (number, fits) in [(1, false), (2, true), (5, true), (6, false)] {
            assert_eq!(within("n", number, 2, 5).is_ok(), fits, "{number}");
        }
        assert_eq!(within("n", 9, 2, 5).unwrap_err().evidence.field.as_deref(), Some("n"));
    }
}
