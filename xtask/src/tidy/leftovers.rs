//! Refuses unfinished work: `todo!`, `dbg!`, `unimplemented!`, and notes to fix something later.

use super::source_file::SourceFile;
use super::workspace::Workspace;
use super::{Finding, Rule};

/// Macros of unfinished work.
const MACROS: &[&str] = &["dbg", "todo", "unimplemented"];
/// Marks of unfinished work, command_line so that this file passes its own rule.
const MARKS: &[&str] = &[concat!("FIX", "ME"), concat!("XX", "X:"), concat!("TO", "DO")];

pub struct LeftoversRule;

impl Rule for LeftoversRule {
    fn name(&self) -> &'static str {
        "leftovers"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        workspace.files.iter().flat_map(|file| marks(file).into_iter().chain(macros(file))).collect()
    }
}

fn marks(file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        findings.extend(MARKS.iter().filter(|mark| line.contains(**mark)).map(|mark| {
            Finding::new(&file.path, index + 1, format!("{mark} is left"), "do it now, or delete the note")
        }));
    }
    findings
}

fn macros(file: &SourceFile) -> Vec<Finding> {
    if !file.is("rs") {
        return Vec::new();
    }
    let tokens = file.tokens();
    let mut findings = Vec::new();
    for name in MACROS {
        findings.extend(tokens.find(&[name, "!", "("]).map(|index| {
            Finding::new(&file.path, tokens.0[index].line, format!("{name}! is left"), "write what is missing")
        }));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_work_is_found_and_mentions_in_comments_and_strings_are_not() {
        let mark = format!("// {}: later\n", MARKS[0]);
        for (path, text, violations) in [
            ("a.rs", mark.as_str(), 1),
            ("a.js", mark.as_str(), 1),
            ("a.rs", "fn a() { todo!() }", 1),
            ("a.rs", "fn a() { b(dbg!(c)) }", 1),
            ("a.rs", "// never todo!()\nconst A: &str = \"dbg!(x)\";", 0),
        ] {
            assert_eq!(LeftoversRule.check(&Workspace::of(&[(path, text)])).len(), violations, "{text}");
        }
    }
}
