//! What may break a law for now, each with its reason.
//!
//! This list only shrinks: an exception that covers more than is found fails until it is lowered or deleted.
//! Before adding one: change the code instead; if the law is wrong, change the law.

use super::{Finding, Gravity};

/// Leave for up to `most` findings of one law in one file.
struct Exception {
    law: &'static str,
    file: &'static str,
    most: usize,
    reason: &'static str,
}

/// All of them.
const EXCEPTIONS: &[Exception] = &[];

/// The findings of `law` that no exception covers, and a finding for each exception that is larger than needed.
pub fn apply(law: &str, findings: Vec<Finding>) -> Vec<Finding> {
    apply_list(EXCEPTIONS, law, findings)
}

fn apply_list(exceptions: &[Exception], law: &str, mut findings: Vec<Finding>) -> Vec<Finding> {
    for Exception { file, most, reason, .. } in exceptions.iter().filter(|exception| exception.law == law) {
        let is_covered = |finding: &Finding| finding.file == *file && finding.gravity == Gravity::Breach;
        let found = findings.iter().filter(|finding| is_covered(finding)).count();
        if found > *most {
            continue;
        }
        findings.retain(|finding| !is_covered(finding));
        if found < *most {
            findings.push(Finding::new(
                "xtask/src/tidy/exceptions.rs",
                1,
                format!("the exception from `{law}` for {file} ({reason}) allows {most}, and {found} are left"),
                if found == 0 { "delete it".into() } else { format!("lower it to {found}") },
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(most: usize, count: usize) -> Vec<String> {
        let exceptions = [Exception { law: "a", file: "f.rs", most, reason: "old" }];
        let findings = (0..count).map(|line| Finding::new("f.rs", line, "bad", "mend")).collect();
        apply_list(&exceptions, "a", findings).into_iter().map(|finding| finding.cure).collect()
    }

    #[test]
    fn an_exception_covers_exactly_what_it_says() {
        assert!(found(2, 2).is_empty());
    }

    #[test]
    fn more_than_the_exception_allows_shows_everything() {
        assert_eq!(found(2, 3).len(), 3);
    }

    #[test]
    fn an_exception_that_is_too_large_must_shrink() {
        assert_eq!(found(2, 1), ["lower it to 1"]);
        assert_eq!(found(2, 0), ["delete it"]);
    }

    #[test]
    fn another_law_or_file_is_not_covered() {
        let exceptions = [Exception { law: "a", file: "f.rs", most: 1, reason: "old" }];
        let finding = vec![Finding::new("f.rs", 1, "bad", "mend")];
        assert_eq!(apply_list(&exceptions, "b", finding).len(), 1);
        let finding = vec![Finding::new("g.rs", 1, "bad", "mend")];
        assert_eq!(apply_list(&exceptions, "a", finding).len(), 2);
    }

    #[test]
    fn every_exception_has_a_reason_and_something_to_cover() {
        for Exception { law, file, most, reason } in EXCEPTIONS {
            assert!(!reason.is_empty() && *most > 0, "{law} {file}");
        }
    }
}
