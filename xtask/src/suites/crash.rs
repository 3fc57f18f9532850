//! Kills the server with SIGKILL under load and checks that every acknowledged change survives (P3).

use super::{PROGRAM_TIMEOUT, Suite};
use crate::child_process::{self, TestRun};
use crate::task_context::TaskContext;

/// `voelgoed-chaos crash` against the release binary.
pub struct CrashSuite;

impl Suite for CrashSuite {
    fn name(&self) -> &'static str {
        "crash"
    }

    fn about(&self) -> &'static str {
        "kill -9 under load: nothing acknowledged is lost or doubled, no place is stuck"
    }

    fn run(&self, context: &TaskContext) -> anyhow::Result<TestRun> {
        let mut command = context.program("voelgoed-chaos")?;
        command
            .arg("crash")
            .arg("--binary")
            .arg(context.release_binary()?)
            .arg("--root")
            .arg(context.target().join("chaos"));
        command.args(["--kills", if context.long { "60" } else { "6" }]);
        child_process::run_tests(&mut command, PROGRAM_TIMEOUT)
    }
}
