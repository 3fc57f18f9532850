//! The arithmetic of an allowance that is counted in one place for many nodes: what was spent comes back evenly over the span.
//!
//! Never: a clock or a store of its own; both are arguments, so that the script in Redis can be compared with this line by line.

use std::time::Duration;

use crate::rate_limit::RateLimit;

/// What became of a wish to spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// So many, at least one.
    Some(u32),
    /// Nothing is left; one fits after so long.
    None(Duration),
}

/// How long one takes to come back, in microseconds; a span of nothing is read as the smallest that works.
#[must_use]
pub fn each_micros(limit: RateLimit) -> i64 {
    let each = limit.per / limit.burst.max(1);
    i64::try_from(each.as_micros()).unwrap_or(i64::MAX / i64::from(u32::MAX)).max(1)
}

/// Spends up to `most` at `now`; `full_at` says when all of it would have been back, where anything was spent before. Returns when it will be.
#[must_use]
pub fn spend(limit: RateLimit, now: i64, full_at: Option<i64>, most: u32) -> (Spent, i64) {
    let each = each_micros(limit);
    let span = each.saturating_mul(i64::from(limit.burst.max(1)));
    // A clock that was put back must not lock anybody out for longer than the span.
    let full_at = full_at.unwrap_or(now).clamp(now, now.saturating_add(span));
    let fits = (now + span - full_at) / each;
    if fits < 1 {
        let wait = full_at + each - now - span;
        return (Spent::None(Duration::from_micros(wait.unsigned_abs())), full_at);
    }
    let spent = u32::try_from(fits).unwrap_or(u32::MAX).min(most.max(1));
    (Spent::Some(spent), full_at + each * i64::from(spent))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: RateLimit = RateLimit { name: "test", burst: 3, per: Duration::from_secs(30), keys: 4 };
    const SECOND: i64 = 1_000_000;

    #[test]
    fn at_its_edges() {
        for (case, now, full_at, most, expected) in [
            ("new", 100 * SECOND, None, 1, (Spent::Some(1), 110 * SECOND)),
            ("all at once", 100 * SECOND, None, 9, (Spent::Some(3), 130 * SECOND)),
            ("a wish of nothing is one", 100 * SECOND, None, 0, (Spent::Some(1), 110 * SECOND)),
            ("what is left", 100 * SECOND, Some(115 * SECOND), 9, (Spent::Some(1), 125 * SECOND)),
            (
                "one microsecond early",
                110 * SECOND - 1,
                Some(130 * SECOND),
                1,
                (Spent::None(Duration::from_micros(1)), 130 * SECOND),
            ),
            ("just in time", 110 * SECOND, Some(130 * SECOND), 2, (Spent::Some(1), 140 * SECOND)),
            ("long ago", 900 * SECOND, Some(130 * SECOND), 9, (Spent::Some(3), 930 * SECOND)),
            ("the clock was put back", 0, Some(900 * SECOND), 1, (Spent::None(Duration::from_secs(10)), 30 * SECOND)),
        ] {
            assert_eq!(spend(LIMIT, now, full_at, most), expected, "{case}");
        }
    }

    #[test]
    fn limits_of_nothing_are_the_smallest_that_work() {
        assert_eq!(spend(RateLimit { burst: 0, ..LIMIT }, 0, None, 5).0, Spent::Some(1));
        assert_eq!(spend(RateLimit { per: Duration::ZERO, ..LIMIT }, 0, None, 5), (Spent::Some(3), 3));
    }
}
