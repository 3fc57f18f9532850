//! Requires that every job handler is in a list that the binary registers, because jobs without a handler wait forever.
//!
//! The lists are the functions `jobs` of slices and the registry of the binary.

use super::source_file::SourceFile;
use super::tokens::SyntaxKind;
use super::workspace::Workspace;
use super::{Finding, Rule};

const WIRING: &str = "crates/voelgoed/src/";

pub struct JobsRule;

impl Rule for JobsRule {
    fn name(&self) -> &'static str {
        "jobs"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        let shipped = || workspace.rust_below("crates/").filter(|file| !file.is_test());
        let lists: Vec<&SourceFile> = shipped().filter(|file| has_list(file)).collect();
        let is_registered = |handler: &str| lists.iter().any(|file| mentions(file, handler));
        let mut findings = Vec::new();
        for file in shipped().filter(|file| !file.path.starts_with(WIRING)) {
            let tokens = file.tokens();
            for index in tokens.find(&["JobHandler", "for"]).filter(|index| !tokens.0[*index].is_test) {
                let Some(handler) = tokens.0.get(index + 2).filter(|token| !is_registered(&token.text)) else {
                    continue;
                };
                let message = format!("the job handler `{}` is not registered", handler.text);
                findings.push(Finding::new(
                    &file.path,
                    handler.line,
                    message,
                    "add it to `jobs` in the slice's `slice.rs`",
                ));
            }
        }
        findings
    }
}

/// Whether the file lists handlers: the registry of the binary, or the `jobs` of a slice.
fn has_list(file: &SourceFile) -> bool {
    let tokens = file.tokens();
    file.path.starts_with(WIRING)
        || (tokens.find(&["Slice", "for"]).next().is_some() && tokens.find(&["fn", "jobs"]).next().is_some())
}

fn mentions(file: &SourceFile, handler: &str) -> bool {
    let tokens = file.tokens();
    tokens.0.iter().any(|token| token.kind == SyntaxKind::Ident && token.text == handler && !token.is_test)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(handler: &str, path: &str, list: &str) -> usize {
        JobsRule.check(&Workspace::of(&[("crates/app/src/payments/poll.rs", handler), (path, list)])).len()
    }

    #[test]
    fn handler_that_is_not_registered_is_found() {
        let handler = "impl JobHandler for Poll { }";
        let wiring = |list| check(handler, "crates/voelgoed/src/jobs.rs", list);
        assert_eq!(wiring("fn handlers() { vec![Arc::new(Poll::new(platform))] }"), 0);
        assert_eq!(wiring("fn handlers() { vec![] } // Poll"), 1);
        let slice = |list| check(handler, "crates/app/src/payments/slice.rs", list);
        assert_eq!(slice("impl Slice for Payments { fn jobs(self) { vec![Arc::new(Poll(self))] } }"), 0);
        assert_eq!(slice("use super::Poll; impl Slice for Payments { fn name(&self) {} }"), 1);
        assert_eq!(slice("fn jobs() { vec![Poll] }"), 1);
        assert_eq!(slice("impl Slice for Payments { fn jobs(self) { vec![] } }"), 1);
        assert_eq!(
            check("#[cfg(test)] mod tests { impl JobHandler for Fake {} }", "crates/voelgoed/src/jobs.rs", ""),
            0
        );
    }
}
