//! No lint complains.
//!
//! What ships is also held to the banned methods of clippy.toml; tests may read clocks and spawn as they please.

use super::{Suite, check};
use crate::run::Run;
use crate::shell::{self, Outcome};

/// `cargo clippy` over everything, warnings denied.
pub struct Clippy;

impl Suite for Clippy {
    fn name(&self) -> &'static str {
        "clippy"
    }

    fn about(&self) -> &'static str {
        "no lint complains, and what ships calls no banned method"
    }

    fn run(&self, run: &Run) -> anyhow::Result<Outcome> {
        let clippy = || {
            let mut command = shell::cargo(&run.root);
            command.args(["clippy", "--workspace", "--quiet"]);
            command
        };
        // The test is named for its features: with them both runs look at the same libraries once.
        let mut tally = check(clippy().args(["--lib", "--bins", "--test", "contracts", "--", "-D", "warnings"]));
        let everything = ["--all-targets", "--", "-D", "warnings", "-A", "clippy::disallowed_methods"];
        tally.add(check(clippy().args(everything)));
        Ok(tally.into())
    }
}
