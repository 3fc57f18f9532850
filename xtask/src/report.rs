//! Collects the test counts of every suite and prints the summary, whose last line `N passed, N failed` CI parses.
//!
//! Never: success for a run in which no test passed.

use std::time::Duration;

use crate::child_process::TestRun;
use crate::step_timer::HumanDuration;
use crate::test_counts::TestCounts;

/// Failed tests printed per suite in the summary.
const FAILURES_SHOWN_MAX: usize = 12;

/// The result of one suite.
pub struct SuiteResult {
    /// The suite's name.
    pub suite: &'static str,
    /// Counts and output of its programs.
    pub test_run: TestRun,
    /// Duration, builds included.
    pub took: Duration,
    /// The error that stopped the suite before its end.
    pub error: Option<String>,
}

/// The results of all suites that ran.
#[derive(Default)]
pub struct Report {
    results: Vec<SuiteResult>,
}

impl Report {
    /// Appends the result of a suite.
    pub fn push(&mut self, result: SuiteResult) {
        self.results.push(result);
    }

    /// The sum over all suites.
    pub fn total(&self) -> TestCounts {
        let mut total = TestCounts::default();
        for result in &self.results {
            total.add(result.test_run.counts);
        }
        total
    }

    /// True where at least one test ran and none failed.
    pub fn is_success(&self) -> bool {
        let total = self.total();
        total.failed == 0 && total.passed > 0
    }

    /// Prints a line per suite, then the total alone on the last line.
    pub fn print(&self) {
        println!();
        for SuiteResult { suite, test_run, took, error } in &self.results {
            let counts = test_run.counts;
            let mark = if counts.failed == 0 { "ok  " } else { "FAIL" };
            println!("{mark} {suite:<14} {:>12}  {counts}", HumanDuration(*took).to_string());
            if let Some(error) = error {
                println!("     {error}");
            }
            for failure in test_run.failures().take(FAILURES_SHOWN_MAX) {
                println!("     {failure}");
            }
        }
        println!();
        println!("{}", self.total());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_succeeds_if_a_test_passed_and_none_failed() {
        for (passed, failed, success) in [(0, 0, false), (1, 0, true), (5, 1, false), (0, 1, false)] {
            let mut report = Report::default();
            let counts = TestCounts { passed, failed, skipped: 3 };
            report.push(SuiteResult { suite: "any", test_run: counts.into(), took: Duration::ZERO, error: None });
            assert_eq!(report.is_success(), success, "{passed} {failed}");
        }
    }
}
