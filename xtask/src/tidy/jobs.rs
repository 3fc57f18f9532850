//! Requires that the binary registers every job handler, because jobs without a handler wait forever.

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
        let wiring: Vec<&SourceFile> = workspace.rust_below(WIRING).filter(|file| !file.is_test()).collect();
        let is_registered = |handler: &str| {
            wiring.iter().any(|file| {
                file.tokens()
                    .0
                    .iter()
                    .any(|token| token.kind == SyntaxKind::Ident && token.text == handler && !token.is_test)
            })
        };
        let mut findings = Vec::new();
        for file in workspace.rust_below("crates/").filter(|file| !file.is_test() && !file.path.starts_with(WIRING)) {
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
                    format!("add it to the list in {WIRING}"),
                ));
            }
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(handler: &str, wiring: &str) -> usize {
        let workspace =
            Workspace::of(&[("crates/app/src/payments/poll.rs", handler), ("crates/voelgoed/src/jobs.rs", wiring)]);
        JobsRule.check(&workspace).len()
    }

    #[test]
    fn handler_that_is_not_registered_is_found() {
        let handler = "impl JobHandler for Poll { }";
        assert_eq!(check(handler, "fn handlers() { vec![Arc::new(Poll::new(platform))] }"), 0);
        assert_eq!(check(handler, "fn handlers() { vec![] } // Poll"), 1);
        assert_eq!(check("#[cfg(test)] mod tests { impl JobHandler for Fake {} }", ""), 0);
    }
}
