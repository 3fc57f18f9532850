//! Attacks the default limits from one address, directly and through HAProxy, while other clients must be served.

use super::{PROGRAM_TIMEOUT, Suite};
use crate::child_process::{self, TestRun};
use crate::system_packages::{HAPROXY, SystemPackage};
use crate::task_context::TaskContext;

/// `voelgoed-chaos attack` against the release binary.
pub struct AttackSuite;

impl Suite for AttackSuite {
    fn name(&self) -> &'static str {
        "attack"
    }

    fn about(&self) -> &'static str {
        "slow senders, non-readers, hoarders and floods from one address, while another client buys and another gate scans; malformed requests; file modes"
    }

    fn needs(&self) -> &'static [SystemPackage] {
        &[HAPROXY]
    }

    fn run(&self, context: &TaskContext) -> anyhow::Result<TestRun> {
        let mut command = context.program("voelgoed-chaos")?;
        command
            .arg("attack")
            .arg("--binary")
            .arg(context.release_binary()?)
            .arg("--root")
            .arg(context.target().join("chaos"));
        command.arg("--haproxy").arg(context.root.join("deploy/haproxy/haproxy.cfg"));
        if context.long {
            command.arg("--long");
        }
        child_process::run_tests(&mut command, PROGRAM_TIMEOUT)
    }
}
