//! Warns of source files above 400 lines and refuses those above 600; the aim is 200.

use super::workspace::Workspace;
use super::{Finding, Rule};

/// Longer files are a warning.
const WARNING_LINES_MAX: usize = 400;
/// Longer files are a violation.
const LINES_MAX: usize = 600;
/// File types that count as source; a lock file or a data set does not.
const SOURCES: &[&str] = &["css", "html", "js", "lua", "rs", "sql"];

pub struct FileLengthRule;

impl Rule for FileLengthRule {
    fn name(&self) -> &'static str {
        "file-length"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        let sources = workspace.files.iter().filter(|file| SOURCES.iter().any(|extension| file.is(extension)));
        sources
            .filter_map(|file| {
                let lines = file.text.lines().count();
                let finding =
                    Finding::new(&file.path, lines, format!("{lines} lines"), "split it by operation (aim: 200 lines)");
                match lines {
                    lines if lines > LINES_MAX => Some(finding),
                    lines if lines > WARNING_LINES_MAX => Some(finding.warning()),
                    _ => None,
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Severity;
    use super::*;

    #[test]
    fn file_at_a_limit_is_valid_and_one_line_more_is_not() {
        for (lines, expected) in [
            (WARNING_LINES_MAX, None),
            (WARNING_LINES_MAX + 1, Some(Severity::Warning)),
            (LINES_MAX, Some(Severity::Warning)),
            (LINES_MAX + 1, Some(Severity::Violation)),
        ] {
            let workspace = Workspace::of(&[("a.rs", &"//\n".repeat(lines)), ("a.json", &"1\n".repeat(lines))]);
            let severities: Vec<_> = FileLengthRule.check(&workspace).iter().map(|finding| finding.severity).collect();
            assert_eq!(severities, expected.into_iter().collect::<Vec<_>>(), "{lines}");
        }
    }
}
