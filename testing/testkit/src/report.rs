//! Prints each check of a suite as a `test … ok` or `test … FAILED` line, which the runner of suites counts.

use std::fmt;

/// Counts of checks.
#[derive(Debug, Default)]
pub struct SuiteReport {
    passed: u32,
    failed: u32,
}

impl SuiteReport {
    /// Prints and counts one check.
    pub fn check(&mut self, claim: &str, outcome: anyhow::Result<()>) {
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

    /// Prints and counts one comparison.
    pub fn check_eq<T: PartialEq + fmt::Debug>(&mut self, claim: &str, found: T, expected: T) {
        let outcome =
            if found == expected { Ok(()) } else { Err(anyhow::anyhow!("expected {expected:?}, found {found:?}")) };
        self.check(claim, outcome);
    }

    /// Adds the counts of checks that ran at the same time.
    pub fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// True where at least one check passed and none failed.
    pub fn is_success(&self) -> bool {
        self.failed == 0 && self.passed > 0
    }
}

impl fmt::Display for SuiteReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}
