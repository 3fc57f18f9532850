//! Sends 2,000 buyers over HTTP for 100 places and checks that exactly 100 are sold (P1).

use super::{PROGRAM_TIMEOUT, Suite};
use crate::child_process::{self, TestRun};
use crate::task_context::TaskContext;

/// `voelgoed-chaos race` against the release binary.
pub struct RaceSuite;

impl Suite for RaceSuite {
    fn name(&self) -> &'static str {
        "race"
    }

    fn about(&self) -> &'static str {
        "2,000 buyers over HTTP for 100 places: exactly 100 are sold, every other buyer gets a 409"
    }

    fn run(&self, context: &TaskContext) -> anyhow::Result<TestRun> {
        let mut command = context.program("voelgoed-chaos")?;
        command
            .arg("race")
            .arg("--binary")
            .arg(context.release_binary()?)
            .arg("--root")
            .arg(context.target().join("chaos"));
        child_process::run_tests(&mut command, PROGRAM_TIMEOUT)
    }
}
