//! Injects faults into nodes, stores, provider and network under load, then checks the clients' journals (P1-P7).

use super::{PROGRAM_TIMEOUT, Suite};
use crate::child_process::{self, TestRun};
use crate::system_packages::{POSTGRES, REDIS, SystemPackage};
use crate::task_context::TaskContext;

/// `voelgoed-chaos storm` against the release binary.
pub struct StormSuite;

impl Suite for StormSuite {
    fn name(&self) -> &'static str {
        "storm"
    }

    fn about(&self) -> &'static str {
        "faults in nodes, Redis, Postgres, the provider and the network under load: nothing oversold, lost, doubled or shown to another tenant"
    }

    fn needs(&self) -> &'static [SystemPackage] {
        &[POSTGRES, REDIS]
    }

    fn run(&self, context: &TaskContext) -> anyhow::Result<TestRun> {
        let mut command = context.program("voelgoed-chaos")?;
        command
            .arg("storm")
            .arg("--binary")
            .arg(context.release_binary()?)
            .arg("--root")
            .arg(context.target().join("chaos"));
        // Short runs inject each fault once with a fixed seed; full-length runs use a random seed.
        let arguments: &[&str] = match context.long {
            true => &["--injections", "300"],
            false => &["--injections", "24", "--seed", "1"],
        };
        command.args(arguments);
        child_process::run_tests(&mut command, PROGRAM_TIMEOUT)
    }
}
