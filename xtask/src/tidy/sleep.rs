//! No test sleeps: it waits for what it wants to see, with a deadline.
//!
//! A sleep is either too short on a busy machine or too long on every other. On a virtual clock (`start_paused = true`) it is neither.

use super::house::{File, House};
use super::{Finding, Law};

const SLEEPS: &[&str] = &["sleep", "sleep_until", "sleep_ms"];

/// The law.
pub struct Sleep;

impl Law for Sleep {
    fn name(&self) -> &'static str {
        "sleep"
    }

    fn check(&self, house: &House) -> Vec<Finding> {
        house.rust().flat_map(in_file).collect()
    }
}

fn in_file(file: &File) -> Vec<Finding> {
    let tokens = file.tokens();
    // Items whose attribute pauses the clock, attribute included.
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
            let cure = "poll for the state with a deadline, or pause the clock (`#[tokio::test(start_paused = true)]`)";
            Finding::new(&file.path, tokens.0[index].line, "a test sleeps", cure)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tests_may_not_sleep() {
        for (path, source, breaches) in [
            ("crates/a/tests/x.rs", "fn a() { std::thread::sleep(x); }", 1),
            ("crates/a/src/lib.rs", "fn a() { tokio::time::sleep(x).await; }", 0),
            ("crates/a/src/lib.rs", "#[cfg(test)] mod tests { fn a() { tokio::time::sleep(x).await; } }", 1),
            ("crates/a/tests/x.rs", "fn a() { interval(x); let sleep = 1; }", 0),
            ("crates/a/tests/x.rs", "#[tokio::test(start_paused = true)]\nasync fn a() { sleep(x).await; }", 0),
            ("crates/a/tests/x.rs", "#[tokio::test(start_paused = true)]\nasync fn a() {}\nfn b() { sleep(x); }", 1),
        ] {
            assert_eq!(Sleep.check(&House::of(&[(path, source)])).len(), breaches, "{source}");
        }
    }
}
