//! Every kind of durable job is registered by the binary: a handler that nobody registers leaves its jobs waiting for ever.

use super::house::{File, House};
use super::source::Kind;
use super::{Finding, Law};

const WIRING: &str = "crates/voelgoed/src/";

/// The law.
pub struct Jobs;

impl Law for Jobs {
    fn name(&self) -> &'static str {
        "jobs"
    }

    fn check(&self, house: &House) -> Vec<Finding> {
        let wiring: Vec<&File> = house.rust_below(WIRING).filter(|file| !file.is_test()).collect();
        let is_registered = |handler: &str| {
            wiring.iter().any(|file| {
                file.tokens().0.iter().any(|token| token.kind == Kind::Ident && token.text == handler && !token.is_test)
            })
        };
        let mut findings = Vec::new();
        for file in house.rust_below("crates/").filter(|file| !file.is_test() && !file.path.starts_with(WIRING)) {
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
        let house = House::of(&[("crates/app/src/payments/poll.rs", handler), ("crates/voelgoed/src/jobs.rs", wiring)]);
        Jobs.check(&house).len()
    }

    #[test]
    fn a_handler_must_stand_in_the_list() {
        let handler = "impl JobHandler for Poll { }";
        assert_eq!(check(handler, "fn handlers() { vec![Arc::new(Poll::new(platform))] }"), 0);
        assert_eq!(check(handler, "fn handlers() { vec![] } // Poll"), 1);
        assert_eq!(check("#[cfg(test)] mod tests { impl JobHandler for Fake {} }", ""), 0);
    }
}
