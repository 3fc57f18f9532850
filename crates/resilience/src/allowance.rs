//! Computes a rate limit that many nodes share (GCRA): spent units return evenly over the period.
//!
//! Never: a clock or a store; both are arguments, so that a test can compare the Redis script with this function.

use std::time::Duration;

use crate::rate_limit::RateLimit;

/// The result of spending from an allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpendOutcome {
    /// This many units were spent, at least one.
    Granted(u32),
    /// No unit is left; the next one returns after this time.
    Exhausted(Duration),
}

/// Microseconds until one unit returns; at least 1, so that a period of zero works.
#[must_use]
pub fn emission_interval_micros(limit: RateLimit) -> i64 {
    let each = limit.per / limit.burst.max(1);
    i64::try_from(each.as_micros()).unwrap_or(i64::MAX / i64::from(u32::MAX)).max(1)
}

/// Spends up to `units_max` at `now` (microseconds). `full_at` is when the allowance will be full again, if units were spent before; the new value is
/// returned.
#[must_use]
pub fn spend(limit: RateLimit, now: i64, full_at: Option<i64>, units_max: u32) -> (SpendOutcome, i64) {
    let each = emission_interval_micros(limit);
    let span = each.saturating_mul(i64::from(limit.burst.max(1)));
    // A clock that was set back must not lock a caller out for longer than the period.
    let full_at = full_at.unwrap_or(now).clamp(now, now.saturating_add(span));
    let fits = (now + span - full_at) / each;
    if fits < 1 {
        let wait = full_at + each - now - span;
        return (SpendOutcome::Exhausted(Duration::from_micros(wait.unsigned_abs())), full_at);
    }
    let spent = u32::try_from(fits).unwrap_or(u32::MAX).min(units_max.max(1));
    (SpendOutcome::Granted(spent), full_at + each * i64::from(spent))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: RateLimit = RateLimit { name: "test", burst: 3, per: Duration::from_secs(30), keys_max: 4 };
    const SECOND: i64 = 1_000_000;

    #[test]
    fn spending_at_the_edges_of_the_allowance() {
        for (case, now, full_at, units_max, expected) in [
            ("new", 100 * SECOND, None, 1, (SpendOutcome::Granted(1), 110 * SECOND)),
            ("the whole burst", 100 * SECOND, None, 9, (SpendOutcome::Granted(3), 130 * SECOND)),
            ("a request for zero units spends one", 100 * SECOND, None, 0, (SpendOutcome::Granted(1), 110 * SECOND)),
            ("the remaining units", 100 * SECOND, Some(115 * SECOND), 9, (SpendOutcome::Granted(1), 125 * SECOND)),
            (
                "one microsecond early",
                110 * SECOND - 1,
                Some(130 * SECOND),
                1,
                (SpendOutcome::Exhausted(Duration::from_micros(1)), 130 * SECOND),
            ),
            ("exactly in time", 110 * SECOND, Some(130 * SECOND), 2, (SpendOutcome::Granted(1), 140 * SECOND)),
            ("long ago", 900 * SECOND, Some(130 * SECOND), 9, (SpendOutcome::Granted(3), 930 * SECOND)),
            (
                "the clock was set back",
                0,
                Some(900 * SECOND),
                1,
                (SpendOutcome::Exhausted(Duration::from_secs(10)), 30 * SECOND),
            ),
        ] {
            assert_eq!(spend(LIMIT, now, full_at, units_max), expected, "{case}");
        }
    }

    #[test]
    fn limits_of_zero_are_read_as_the_smallest_that_work() {
        assert_eq!(spend(RateLimit { burst: 0, ..LIMIT }, 0, None, 5).0, SpendOutcome::Granted(1));
        assert_eq!(spend(RateLimit { per: Duration::ZERO, ..LIMIT }, 0, None, 5), (SpendOutcome::Granted(3), 3));
    }
}
