//! What was claimed and whether it held; closes with the line that the suites' runner counts.

use std::fmt;

/// Counts of claims.
#[derive(Debug, Default)]
pub struct Verdicts {
    passed: u32,
    failed: u32,
}

impl Verdicts {
    /// Prints and counts one claim.
    pub fn judge(&mut self, claim: &str, outcome: anyhow::Result<()>) {
        match outcome {
            Ok(()) => {
                println!("test {claim} ... ok");
                self.passed += 1;
            }
            Err(error) => {
                println!("test {claim} ... FAILED: {error:#}");
                self.failed += 1;
            }
        }
    }

    /// A claim that is a comparison.
    pub fn same<T: PartialEq + fmt::Debug>(&mut self, claim: &str, found: T, expected: T) {
        let outcome =
            if found == expected { Ok(()) } else { Err(anyhow::anyhow!("expected {expected:?}, found {found:?}")) };
        self.judge(claim, outcome);
    }

    /// Adds what was claimed elsewhere at the same time.
    pub fn absorb(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// True where something was claimed and all of it held.
    pub fn hold(&self) -> bool {
        self.failed == 0 && self.passed > 0
    }
}

impl fmt::Display for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}
