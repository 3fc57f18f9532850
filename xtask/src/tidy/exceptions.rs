//! Lists accepted violations per rule and file, each with a reason.
//!
//! The list only shrinks: an exception for more violations than exist is itself a violation.
//! Before adding one, fix the code; if the rule is wrong, fix the rule.

use super::{Finding, Severity};

/// Accepts up to `findings_max` violations of one rule in one file.
struct Exception {
    rule: &'static str,
    file: &'static str,
    findings_max: usize,
    reason: &'static str,
}

const EXCEPTIONS: &[Exception] = &[];

/// The findings that no exception covers, and a finding for each exception that is larger than needed.
pub fn apply(rule: &str, findings: Vec<Finding>) -> Vec<Finding> {
    apply_list(EXCEPTIONS, rule, findings)
}

fn apply_list(exceptions: &[Exception], rule: &str, mut findings: Vec<Finding>) -> Vec<Finding> {
    for Exception { file, findings_max, reason, .. } in exceptions.iter().filter(|exception| exception.rule == rule) {
        let is_covered = |finding: &Finding| finding.file == *file && finding.severity == Severity::Violation;
        let found = findings.iter().filter(|finding| is_covered(finding)).count();
        if found > *findings_max {
            continue;
        }
        findings.retain(|finding| !is_covered(finding));
        if found < *findings_max {
            findings.push(Finding::new(
                "xtask/src/tidy/exceptions.rs",
                1,
                format!("the exception from `{rule}` for {file} ({reason}) allows {findings_max}, but {found} remain"),
                if found == 0 { "delete it".into() } else { format!("lower it to {found}") },
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(findings_max: usize, count: usize) -> Vec<String> {
        let exceptions = [Exception { rule: "a", file: "f.rs", findings_max, reason: "old" }];
        let findings = (0..count).map(|line| Finding::new("f.rs", line, "bad", "fix it")).collect();
        apply_list(&exceptions, "a", findings).into_iter().map(|finding| finding.fix).collect()
    }

    #[test]
    fn exception_covers_as_many_findings_as_it_states() {
        assert!(found(2, 2).is_empty());
    }

    #[test]
    fn more_findings_than_the_exception_allows_are_all_shown() {
        assert_eq!(found(2, 3).len(), 3);
    }

    #[test]
    fn exception_for_more_findings_than_exist_is_a_violation() {
        assert_eq!(found(2, 1), ["lower it to 1"]);
        assert_eq!(found(2, 0), ["delete it"]);
    }

    #[test]
    fn exception_covers_no_other_rule_or_file() {
        let exceptions = [Exception { rule: "a", file: "f.rs", findings_max: 1, reason: "old" }];
        let finding = vec![Finding::new("f.rs", 1, "bad", "fix it")];
        assert_eq!(apply_list(&exceptions, "b", finding).len(), 1);
        let finding = vec![Finding::new("g.rs", 1, "bad", "fix it")];
        assert_eq!(apply_list(&exceptions, "a", finding).len(), 2);
    }

    #[test]
    fn every_exception_has_a_reason_and_something_to_cover() {
        for Exception { rule, file, findings_max, reason } in EXCEPTIONS {
            assert!(!reason.is_empty() && *findings_max > 0, "{rule} {file}");
        }
    }
}
