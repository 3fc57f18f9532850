//! Runs a sale across several nodes on shared stores while nodes are restarted and killed (P1, P3, P8).

use super::{PROGRAM_TIMEOUT, Suite};
use crate::child_process::{self, TestRun};
use crate::system_packages::{HAPROXY, POSTGRES, REDIS, SystemPackage};
use crate::task_context::TaskContext;

/// `voelgoed-nodes check` against the release binary.
pub struct NodesSuite;

impl Suite for NodesSuite {
    fn name(&self) -> &'static str {
        "nodes"
    }

    fn about(&self) -> &'static str {
        "one sale across nodes on Redis and Postgres; restarts without a dropped request; warm emptied at the peak; a node killed under load"
    }

    fn needs(&self) -> &'static [SystemPackage] {
        &[HAPROXY, POSTGRES, REDIS]
    }

    fn run(&self, context: &TaskContext) -> anyhow::Result<TestRun> {
        let mut command = context.program("voelgoed-nodes")?;
        command
            .arg("check")
            .arg("--binary")
            .arg(context.release_binary()?)
            .arg("--root")
            .arg(context.target().join("nodes"));
        if context.long {
            command.arg("--long");
        }
        child_process::run_tests(&mut command, PROGRAM_TIMEOUT)
    }
}
