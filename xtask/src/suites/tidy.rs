//! Runs the tidy rules as a suite, one test per rule.

use super::Suite;
use crate::child_process::TestRun;
use crate::task_context::TaskContext;
use crate::tidy;

/// The tidy rules.
pub struct TidySuite;

impl Suite for TidySuite {
    fn name(&self) -> &'static str {
        "tidy"
    }

    fn about(&self) -> &'static str {
        "the workspace follows the tidy rules"
    }

    fn run(&self, context: &TaskContext) -> anyhow::Result<TestRun> {
        tidy::check(&context.root).map(Into::into)
    }
}
