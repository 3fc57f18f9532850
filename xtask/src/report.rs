//! What suites hand back, and the last line that CI reads: `N passed, N failed`.
//!
//! Never: a run without a single test that counts as success.

use std::time::Duration;

use crate::clock::Spoken;
use crate::shell::Outcome;

/// Failed tests named per suite in the closing lines.
const MOST_NAMED: usize = 12;

/// Counts of one suite.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tests that held.
    pub passed: u64,
    /// Tests that did not.
    pub failed: u64,
    /// Tests that were left out, visibly.
    pub skipped: u64,
}

impl Tally {
    /// One check, held or not.
    pub const fn one(held: bool) -> Self {
        if held { Self { passed: 1, failed: 0, skipped: 0 } } else { Self { passed: 0, failed: 1, skipped: 0 } }
    }

    /// One check that could not be made and is not required.
    pub const fn skipped() -> Self {
        Self { passed: 0, failed: 0, skipped: 1 }
    }

    /// Adds `other` to this.
    pub const fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// The counts in one line of a test program, if it is such a line: libtest's
    /// `test result: ok. 3 passed; 0 failed; 1 ignored; …` or our own `3 passed, 0 failed`.
    pub fn of_line(line: &str) -> Option<Self> {
        let line = line.trim();
        let libtest = line.strip_prefix("test result: ");
        if libtest.is_none() && !line.starts_with(|first: char| first.is_ascii_digit()) {
            return None;
        }
        let text = libtest.map_or(line, |rest| rest.split_once(". ").map_or(rest, |(_, counts)| counts));
        let mut tally = Self::default();
        let mut seen = 0;
        for part in text.split([',', ';']) {
            let Some((number, word)) = part.trim().split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            let slot = match word {
                "passed" => &mut tally.passed,
                "failed" => &mut tally.failed,
                "ignored" | "skipped" => &mut tally.skipped,
                _ => continue,
            };
            *slot = number;
            seen += 1;
        }
        (seen >= 2).then_some(tally)
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// One suite's outcome.
pub struct Line {
    /// The suite's name.
    pub suite: &'static str,
    /// What it said.
    pub outcome: Outcome,
    /// How long it took, building included.
    pub took: Duration,
    /// Why it could not be carried through, where it could not.
    pub fault: Option<String>,
}

/// Everything that ran.
#[derive(Default)]
pub struct Report {
    lines: Vec<Line>,
}

impl Report {
    /// Adds an outcome.
    pub fn push(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// The sum over all suites.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        for line in &self.lines {
            total.add(line.outcome.tally);
        }
        total
    }

    /// True where at least one test ran and none failed.
    pub fn is_success(&self) -> bool {
        let total = self.total();
        total.failed == 0 && total.passed > 0
    }

    /// A line per suite, then the plain total alone on the last line.
    pub fn print(&self) {
        println!();
        for Line { suite, outcome, took, fault } in &self.lines {
            let tally = outcome.tally;
            let mark = if tally.failed == 0 { "ok  " } else { "FAIL" };
            println!("{mark} {suite:<14} {:>12}  {tally}", Spoken(*took).to_string());
            if let Some(fault) = fault {
                println!("     {fault}");
            }
            for failure in outcome.failures().take(MOST_NAMED) {
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
    fn counts_are_read_from_both_kinds_of_lines_and_from_no_other() {
        let tally = |passed, failed, skipped| Some(Tally { passed, failed, skipped });
        for (line, expected) in [
            (
                "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.1s",
                tally(3, 0, 1),
            ),
            ("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out", tally(3, 2, 0)),
            ("12 passed, 1 failed", tally(12, 1, 0)),
            ("12 passed, 0 failed, 4 skipped", tally(12, 0, 4)),
            ("test tests::three_passed ... ok", None),
            ("3 orders passed", None),
            ("12 passed", None),
            ("", None),
        ] {
            assert_eq!(Tally::of_line(line), expected, "{line}");
        }
    }

    #[test]
    fn a_run_succeeds_only_where_something_passed_and_nothing_failed() {
        for (passed, failed, success) in [(0, 0, false), (1, 0, true), (5, 1, false), (0, 1, false)] {
            let mut report = Report::default();
            let tally = Tally { passed, failed, skipped: 3 };
            report.push(Line { suite: "any", outcome: tally.into(), took: Duration::ZERO, fault: None });
            assert_eq!(report.is_success(), success, "{passed} {failed}");
        }
    }

    #[test]
    fn the_last_line_names_skipped_tests_only_where_there_are_any() {
        assert_eq!(Tally { passed: 2, failed: 0, skipped: 0 }.to_string(), "2 passed, 0 failed");
        assert_eq!(Tally { passed: 2, failed: 1, skipped: 3 }.to_string(), "2 passed, 1 failed, 3 skipped");
    }
}
