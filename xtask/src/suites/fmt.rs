//! Checks that the code is formatted.

use super::{Suite, check};
use crate::child_process::{self, TestRun};
use crate::task_context::TaskContext;

/// `cargo fmt --check`.
pub struct FmtSuite;

impl Suite for FmtSuite {
    fn name(&self) -> &'static str {
        "fmt"
    }

    fn about(&self) -> &'static str {
        "the code is formatted (fix: cargo xtask fmt)"
    }

    fn run(&self, context: &TaskContext) -> anyhow::Result<TestRun> {
        Ok(check(child_process::cargo(&context.root).args(["fmt", "--all", "--check"])).into())
    }
}
