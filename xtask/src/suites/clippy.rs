//! Runs clippy with warnings denied; only shipped code must obey the banned methods of clippy.toml.

use super::{Suite, check};
use crate::child_process::{self, TestRun};
use crate::task_context::TaskContext;

/// `cargo clippy` over everything, warnings denied.
pub struct ClippySuite;

impl Suite for ClippySuite {
    fn name(&self) -> &'static str {
        "clippy"
    }

    fn about(&self) -> &'static str {
        "no clippy warning; shipped code calls no banned method"
    }

    fn run(&self, context: &TaskContext) -> anyhow::Result<TestRun> {
        let clippy = || {
            let mut command = child_process::cargo(&context.root);
            command.args(["clippy", "--workspace", "--quiet"]);
            command
        };
        // `--test contracts` selects the feature set of the second run, so that no library is checked twice.
        let mut counts = check(clippy().args(["--lib", "--bins", "--test", "contracts", "--", "-D", "warnings"]));
        let everything = ["--all-targets", "--", "-D", "warnings", "-A", "clippy::disallowed_methods"];
        counts.add(check(clippy().args(everything)));
        Ok(counts.into())
    }
}
