//! Computes the pause before a failed job is retried: exponential with full jitter, between a minimum and a maximum.
//!
//! Never: randomness of its own (the caller passes it), a pause without a maximum (P9).

use std::time::Duration;

/// The maximum pause after the first failure.
pub const FIRST_BACKOFF_MAX: Duration = Duration::from_secs(2);
/// The maximum of every pause.
pub const BACKOFF_MAX: Duration = Duration::from_secs(600);
/// The minimum of every pause, so that no job spins.
pub const BACKOFF_MIN: Duration = Duration::from_millis(100);

/// The maximum pause after failed attempt `attempt` (from 1).
#[must_use]
pub fn pause_max(attempt: u32) -> Duration {
    doubled(FIRST_BACKOFF_MAX, attempt.saturating_sub(1), BACKOFF_MAX)
}

/// The pause after failed attempt `attempt` (from 1): `random` picks it uniformly from zero to [`pause_max`], then [`BACKOFF_MIN`] applies.
#[must_use]
pub fn pause(attempt: u32, random: [u8; 32]) -> Duration {
    let [a, b, c, d, e, f, g, h, ..] = random;
    let drawn = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
    let width = u64::try_from(pause_max(attempt).as_micros()).unwrap_or(u64::MAX);
    // The high half of a 128-bit product: uniform over `0..=width` without division.
    let micros = (u128::from(drawn) * (u128::from(width) + 1)) >> 64;
    Duration::from_micros(u64::try_from(micros).unwrap_or(width)).max(BACKOFF_MIN)
}

/// `span` doubled `times` times, at most `max`.
#[must_use]
pub fn doubled(span: Duration, times: u32, max: Duration) -> Duration {
    1_u32.checked_shl(times).and_then(|factor| span.checked_mul(factor)).unwrap_or(max).min(max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pause_max_doubles_up_to_the_maximum() {
        for (attempt, seconds) in
            [(0, 2), (1, 2), (2, 4), (3, 8), (8, 256), (9, 512), (10, 600), (33, 600), (u32::MAX, 600)]
        {
            assert_eq!(pause_max(attempt), Duration::from_secs(seconds), "after attempt {attempt}");
        }
    }

    #[test]
    fn pause_covers_the_range_from_minimum_to_maximum() {
        let at = |first: u64| {
            let mut random = [0; 32];
            random[..8].copy_from_slice(&first.to_le_bytes());
            random
        };
        assert_eq!(pause(1, at(0)), BACKOFF_MIN);
        assert_eq!(pause(1, at(u64::MAX)), FIRST_BACKOFF_MAX);
        assert_eq!(pause(1, at(u64::MAX / 2)), Duration::from_secs(1));
        assert_eq!(pause(u32::MAX, at(u64::MAX)), BACKOFF_MAX);
    }
}
