//! Leave to make one call, and the verdict on it.
//!
//! Never: a verdict by omission. A dropped permit (the caller went away) only gives its probe back.

use super::Breaker;

/// Leave to make one call; say how it went.
#[must_use = "say how the call went"]
pub struct BreakerPermit<'a> {
    breaker: &'a Breaker,
    generation: u64,
    judged: bool,
}

impl<'a> BreakerPermit<'a> {
    pub(super) const fn new(breaker: &'a Breaker, generation: u64) -> Self {
        Self { breaker, generation, judged: false }
    }

    /// The dependency answered, whatever it said.
    pub fn succeeded(mut self) {
        self.judged = true;
        self.breaker.judge(self.generation, Some(false));
    }

    /// The dependency failed or did not answer.
    pub fn failed(mut self) {
        self.judged = true;
        self.breaker.judge(self.generation, Some(true));
    }
}

impl Drop for BreakerPermit<'_> {
    fn drop(&mut self) {
        if !self.judged {
            self.breaker.judge(self.generation, None);
        }
    }
}
