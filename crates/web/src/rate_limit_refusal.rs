//! Turns a rate limit that was hit into the refusal `rate_limited` with the limit's name, its size and the time to wait.

use voelgoed_domain::refusal::{Code, LimitHit, Refusal};
use voelgoed_resilience::rate_limit::RateLimited;

/// The refusal for a limit; `detail` says what there was too much of, and what to do.
#[must_use]
pub fn rate_limit_refusal(limited: RateLimited, detail: &str) -> Refusal {
    let limit = LimitHit { name: limited.limit.name, most: u64::from(limited.limit.burst) };
    Refusal::new(Code::RateLimited, detail).with(|evidence| {
        evidence.limit = Some(limit);
        evidence.retry_after = Some(limited.retry_after.as_seconds());
    })
}
