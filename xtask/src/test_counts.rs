//! Counts passed, failed and skipped tests, and parses the count lines that test programs print.

/// Numbers of passed, failed and skipped tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TestCounts {
    pub passed: u64,
    pub failed: u64,
    /// Tests that did not run; the summary shows their number.
    pub skipped: u64,
}

impl TestCounts {
    /// The counts of a single check.
    pub const fn one(passed: bool) -> Self {
        if passed { Self { passed: 1, failed: 0, skipped: 0 } } else { Self { passed: 0, failed: 1, skipped: 0 } }
    }

    /// The counts of a single optional check that could not run here.
    pub const fn skipped() -> Self {
        Self { passed: 0, failed: 0, skipped: 1 }
    }

    pub const fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// Parses a count line: libtest's `test result: ok. 3 passed; 0 failed; 1 ignored; …` or our own `3 passed, 0 failed`.
    pub fn of_line(line: &str) -> Option<Self> {
        let line = line.trim();
        let libtest = line.strip_prefix("test result: ");
        if libtest.is_none() && !line.starts_with(|first: char| first.is_ascii_digit()) {
            return None;
        }
        let text = libtest.map_or(line, |rest| rest.split_once(". ").map_or(rest, |(_, after)| after));
        let mut counts = Self::default();
        let mut seen = 0;
        for part in text.split([',', ';']) {
            let Some((number, word)) = part.trim().split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            let slot = match word {
                "passed" => &mut counts.passed,
                "failed" => &mut counts.failed,
                "ignored" | "skipped" => &mut counts.skipped,
                _ => continue,
            };
            *slot = number;
            seen += 1;
        }
        (seen >= 2).then_some(counts)
    }
}

impl std::fmt::Display for TestCounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_lines_of_libtest_and_of_our_programs_are_parsed_and_other_lines_are_not() {
        let counts = |passed, failed, skipped| Some(TestCounts { passed, failed, skipped });
        for (line, expected) in [
            (
                "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.1s",
                counts(3, 0, 1),
            ),
            ("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out", counts(3, 2, 0)),
            ("12 passed, 1 failed", counts(12, 1, 0)),
            ("12 passed, 0 failed, 4 skipped", counts(12, 0, 4)),
            ("test tests::three_passed ... ok", None),
            ("3 orders passed", None),
            ("12 passed", None),
            ("", None),
        ] {
            assert_eq!(TestCounts::of_line(line), expected, "{line}");
        }
    }

    #[test]
    fn total_line_shows_skipped_tests_if_there_are_any() {
        assert_eq!(TestCounts { passed: 2, failed: 0, skipped: 0 }.to_string(), "2 passed, 0 failed");
        assert_eq!(TestCounts { passed: 2, failed: 1, skipped: 3 }.to_string(), "2 passed, 1 failed, 3 skipped");
    }
}
