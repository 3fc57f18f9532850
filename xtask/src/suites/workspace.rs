//! Runs all unit, integration and documentation tests of the workspace; full length means sixteen times as many property cases.

use super::{PROGRAM_TIMEOUT, Suite, owned};
use crate::child_process::{self, TestRun};
use crate::system_packages::{POSTGRES, REDIS, SystemPackage};
use crate::task_context::TaskContext;

/// Cases per property at full length; proptest's own default is 256.
const LONG_CASES: &str = "4096";

/// `cargo test --workspace`.
pub struct WorkspaceSuite;

impl Suite for WorkspaceSuite {
    fn name(&self) -> &'static str {
        "workspace"
    }

    fn about(&self) -> &'static str {
        "every unit, integration and documentation test"
    }

    fn needs(&self) -> &'static [SystemPackage] {
        &[REDIS, POSTGRES]
    }

    fn run(&self, context: &TaskContext) -> anyhow::Result<TestRun> {
        let mut command = child_process::cargo(&context.root);
        command.args(["test", "--workspace", "--no-fail-fast"]);
        if context.long {
            command.env("PROPTEST_CASES", LONG_CASES);
        }
        for package in owned() {
            command.args(["--exclude", package]);
        }
        child_process::run_tests(&mut command, PROGRAM_TIMEOUT)
    }
}
