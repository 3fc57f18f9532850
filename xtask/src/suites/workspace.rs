//! All unit, integration and documentation tests of the workspace; at full length, property tests see sixteen times as many cases.

use super::{LONGEST, Suite, owned};
use crate::machine::{Need, POSTGRES, REDIS};
use crate::run::Run;
use crate::shell::{self, Outcome};

/// Cases per property at full length; proptest's own default is 256.
const LONG_CASES: &str = "4096";

/// `cargo test --workspace`.
pub struct Workspace;

impl Suite for Workspace {
    fn name(&self) -> &'static str {
        "workspace"
    }

    fn about(&self) -> &'static str {
        "every unit, integration and documentation test"
    }

    fn needs(&self) -> &'static [Need] {
        &[REDIS, POSTGRES]
    }

    fn run(&self, run: &Run) -> anyhow::Result<Outcome> {
        let mut command = shell::cargo(&run.root);
        command.args(["test", "--workspace", "--no-fail-fast"]);
        if run.long {
            command.env("PROPTEST_CASES", LONG_CASES);
        }
        for package in owned() {
            command.args(["--exclude", package]);
        }
        shell::tally(&mut command, LONGEST)
    }
}
