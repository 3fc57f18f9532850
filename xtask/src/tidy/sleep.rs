//! Refuses sleeps in tests, except on a paused clock; a test polls for a state with a timeout instead.
//!
//! Why: a sleep is too short on a busy machine and too long on any other.

use super::source_file::SourceFile;
use super::workspace::Workspace;
use super::{Finding, Rule};

const SLEEPS: &[&str] = &["sleep", "sleep_until", "sleep_ms"];

pub struct SleepRule;

impl Rule for SleepRule {
    fn name(&self) -> &'static str {
        "sleep"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        workspace.rust().flat_map(in_file).collect()
    }
}

fn in_file(file: &SourceFile) -> Vec<Finding> {
    let tokens = file.tokens();
    // Token ranges of items with a paused clock, attribute included.
    let virtual_time: Vec<_> = tokens
        .find(&["start_paused", "=", "true"])
        .filter_map(|index| {
            Some(index..tokens.item_end((index..tokens.0.len()).find(|at| tokens.matches(*at, &["]"]))? + 1))
        })
        .collect();
    let sleeps = SLEEPS.iter().flat_map(|name| tokens.find(std::slice::from_ref(name)).collect::<Vec<_>>());
    sleeps
        .filter(|index| tokens.matches(index + 1, &["("]) && (index == &0 || tokens.0[index - 1].text != "fn"))
        .filter(|index| file.is_test() || tokens.0[*index].is_test)
        .filter(|index| !virtual_time.iter().any(|item| item.contains(index)))
        .map(|index| {
            let fix = "poll for the state with a timeout, or pause the clock (`#[tokio::test(start_paused = true)]`)";
            Finding::new(&file.path, tokens.0[index].line, "a test sleeps", fix)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_in_a_test_without_a_paused_clock_is_found() {
        for (path, source, violations) in [
            ("crates/a/tests/x.rs", "fn a() { std::thread::sleep(x); }", 1),
            ("crates/a/src/lib.rs", "fn a() { tokio::time::sleep(x).await; }", 0),
            ("crates/a/src/lib.rs", "#[cfg(test)] mod tests { fn a() { tokio::time::sleep(x).await; } }", 1),
            ("crates/a/tests/x.rs", "fn a() { interval(x); let sleep = 1; }", 0),
            ("crates/a/tests/x.rs", "#[tokio::test(start_paused = true)]\nasync fn a() { sleep(x).await; }", 0),
            ("crates/a/tests/x.rs", "#[tokio::test(start_paused = true)]\nasync fn a() {}\nfn b() { sleep(x); }", 1),
        ] {
            assert_eq!(SleepRule.check(&Workspace::of(&[(path, source)])).len(), violations, "{source}");
        }
    }
}
