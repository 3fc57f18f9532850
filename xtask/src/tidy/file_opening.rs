//! Requires that every Rust file opens with a `//!` sentence.

use super::workspace::Workspace;
use super::{Finding, Rule};

pub struct FileOpeningRule;

impl Rule for FileOpeningRule {
    fn name(&self) -> &'static str {
        "file-opening"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        workspace
            .rust()
            .filter(|file| file.text.lines().next().and_then(|line| line.strip_prefix("//! ")).is_none_or(is_empty))
            .map(|file| {
                let fix = "begin with `//! ` and a sentence: subject, verb, mechanism";
                Finding::new(&file.path, 1, "the file does not open with a sentence", fix)
            })
            .collect()
    }
}

/// A sentence has at least two words.
fn is_empty(opening: &str) -> bool {
    opening.split_whitespace().count() < 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_without_a_sentence_on_its_first_line_is_found() {
        for (text, violations) in [
            ("//! What this is.\n", 0),
            ("// What this is.\n", 1),
            ("use std;\n//! What this is.\n", 1),
            ("//!\n//! What this is.\n", 1),
            ("//! voelgoed-cold\n", 1),
            ("", 1),
        ] {
            assert_eq!(FileOpeningRule.check(&Workspace::of(&[("a.rs", text)])).len(), violations, "{text}");
        }
    }
}
