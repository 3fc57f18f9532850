//! How long a failed job waits: exponential, full jitter, bounded at both ends. The moment is stored with the job.
//!
//! Never: randomness of its own (the caller brings it), a pause without an upper end (P9).

use std::time::Duration;

/// The upper end of the pause after the first failure.
pub const FIRST: Duration = Duration::from_secs(2);
/// The upper end of every pause.
pub const LONGEST: Duration = Duration::from_secs(600);
/// The lower end, so that no job spins.
pub const SHORTEST: Duration = Duration::from_millis(100);

/// The upper end of the pause after failed attempt `attempt` (from 1).
#[must_use]
pub fn ceiling(attempt: u32) -> Duration {
    doubled(FIRST, attempt.saturating_sub(1), LONGEST)
}

/// The pause after failed attempt `attempt` (from 1), drawn evenly between the ends by `random`.
#[must_use]
pub fn pause(attempt: u32, random: [u8; 32]) -> Duration {
    let [a, b, c, d, e, f, g, h, ..] = random;
    let drawn = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
    let width = u64::try_from(ceiling(attempt).as_micros()).unwrap_or(u64::MAX);
    // The high half of a 128-bit product: even over `0..=width` without division.
    let micros = (u128::from(drawn) * (u128::from(width) + 1)) >> 64;
    Duration::from_micros(u64::try_from(micros).unwrap_or(width)).max(SHORTEST)
}

/// `span` doubled `times` times, at most `longest`.
#[must_use]
pub fn doubled(span: Duration, times: u32, longest: Duration) -> Duration {
    1_u32.checked_shl(times).and_then(|factor| span.checked_mul(factor)).unwrap_or(longest).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_doubles_up_to_its_end() {
        for (attempt, seconds) in
            [(0, 2), (1, 2), (2, 4), (3, 8), (8, 256), (9, 512), (10, 600), (33, 600), (u32::MAX, 600)]
        {
            assert_eq!(ceiling(attempt), Duration::from_secs(seconds), "after attempt {attempt}");
        }
    }

    #[test]
    fn the_pause_covers_the_whole_span_and_nothing_else() {
        let at = |first: u64| {
            let mut random = [0; 32];
            random[..8].copy_from_slice(&first.to_le_bytes());
            random
        };
        assert_eq!(pause(1, at(0)), SHORTEST);
        assert_eq!(pause(1, at(u64::MAX)), FIRST);
        assert_eq!(pause(1, at(u64::MAX / 2)), Duration::from_secs(1));
        assert_eq!(pause(u32::MAX, at(u64::MAX)), LONGEST);
    }
}
