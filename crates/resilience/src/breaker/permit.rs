//! Permits one call through the breaker and records its outcome.
//!
//! Never: an outcome by omission. A dropped permit (the caller was cancelled) only returns its probe.

use super::Breaker;

/// Permission for one call; report the outcome through it.
#[must_use = "report how the call ended"]
pub struct BreakerPermit<'a> {
    breaker: &'a Breaker,
    generation: u64,
    reported: bool,
}

impl<'a> BreakerPermit<'a> {
    pub(super) const fn new(breaker: &'a Breaker, generation: u64) -> Self {
        Self { breaker, generation, reported: false }
    }

    /// The dependency replied; a refusal counts as well.
    pub fn succeeded(mut self) {
        self.reported = true;
        self.breaker.record_outcome(self.generation, Some(false));
    }

    /// The dependency failed or did not reply.
    pub fn failed(mut self) {
        self.reported = true;
        self.breaker.record_outcome(self.generation, Some(true));
    }
}

impl Drop for BreakerPermit<'_> {
    fn drop(&mut self) {
        if !self.reported {
            self.breaker.record_outcome(self.generation, None);
        }
    }
}
