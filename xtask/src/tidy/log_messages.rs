//! Requires log messages in lower case, without a full stop, with values in fields (docs/logging.md).

use super::source_file::SourceFile;
use super::tokens::SourceTokens;
use super::workspace::Workspace;
use super::{Finding, Rule};

const MACROS: &[&str] = &["trace", "debug", "info", "warn", "error"];

pub struct LogMessagesRule;

impl Rule for LogMessagesRule {
    fn name(&self) -> &'static str {
        "log-messages"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        workspace.rust_below("crates/").filter(|file| !file.is_test()).flat_map(in_file).collect()
    }
}

fn in_file(file: &SourceFile) -> Vec<Finding> {
    let tokens = file.tokens();
    let mut findings = Vec::new();
    for index in MACROS.iter().flat_map(|name| tokens.find(std::slice::from_ref(name)).collect::<Vec<_>>()) {
        if !tokens.matches(index + 1, &["!", "("]) || tokens.0[index].is_test {
            continue;
        }
        let Some((message, line)) = message(tokens, index + 2) else { continue };
        if let Some((fault, fix)) = fault(&message) {
            findings.push(Finding::new(&file.path, line, format!("the log message \"{message}\" {fault}"), fix));
        }
    }
    findings
}

/// The first argument of the call that is nothing but a string literal.
fn message(tokens: &SourceTokens, open: usize) -> Option<(String, usize)> {
    let close = tokens.0[open].partner;
    let mut start = open + 1;
    let mut index = start;
    while index <= close {
        let token = &tokens.0[index];
        if index == close || token.text == "," {
            if index == start + 1
                && let Some(text) = tokens.string(start)
            {
                return Some((text, tokens.0[start].line));
            }
            start = index + 1;
        }
        index = if token.text == "(" || token.text == "[" || token.text == "{" { token.partner + 1 } else { index + 1 };
    }
    None
}

fn fault(message: &str) -> Option<(&'static str, &'static str)> {
    let mut letters = message.chars();
    let is_capital = letters.next().is_some_and(char::is_uppercase) && !letters.next().is_some_and(char::is_uppercase);
    if is_capital {
        return Some(("begins with a capital", "write it in lower case"));
    }
    if message.ends_with(['.', '!']) {
        return Some(("ends like a sentence", "leave the full stop out"));
    }
    if message.contains('{') {
        return Some(("holds a value", "put the value into a field, where it can be queried"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_is_checked_at_any_position_of_the_call() {
        for (call, violations) in [
            ("info!(order = %id, \"order paid\")", 0),
            ("info!(\"HTTP surface listens\")", 0),
            ("tracing::warn!(note = \"Not a message.\", \"provider is slow\")", 0),
            ("warn!(x = f(1, \"No.\"), \"fine\")", 0),
            ("error!(target: \"audit\", \"Order lost\")", 1),
            ("info!(\"order paid.\")", 1),
            ("info!(\"order {id} paid\")", 1),
            ("info!(\"order {} paid\", id)", 1),
            ("println!(\"Order paid.\")", 0),
        ] {
            let source = format!("fn a() {{ {call}; }}");
            assert_eq!(
                LogMessagesRule.check(&Workspace::of(&[("crates/a/src/lib.rs", &source)])).len(),
                violations,
                "{call}"
            );
        }
    }
}
