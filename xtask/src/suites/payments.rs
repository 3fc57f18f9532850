//! Kills server and payment provider at every step and checks that each payment resolves without a person (P2).

use super::{PROGRAM_TIMEOUT, Suite};
use crate::child_process::{self, TestRun};
use crate::task_context::TaskContext;

/// `voelgoed-chaos payments` against the release binary.
pub struct PaymentsSuite;

impl Suite for PaymentsSuite {
    fn name(&self) -> &'static str {
        "payments"
    }

    fn about(&self) -> &'static str {
        "every sandbox method ends in a ticket, no charge or a refund, with server and provider killed at every step"
    }

    fn run(&self, context: &TaskContext) -> anyhow::Result<TestRun> {
        let mut command = context.program("voelgoed-chaos")?;
        command
            .arg("payments")
            .arg("--binary")
            .arg(context.release_binary()?)
            .arg("--root")
            .arg(context.target().join("chaos"));
        child_process::run_tests(&mut command, PROGRAM_TIMEOUT)
    }
}
