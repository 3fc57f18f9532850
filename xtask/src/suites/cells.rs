//! Makes stores unavailable one by one and checks that every capability answers as the capability table promises (P10).

use super::{PROGRAM_TIMEOUT, Suite};
use crate::child_process::{self, TestRun};
use crate::system_packages::{HAPROXY, POSTGRES, REDIS, SystemPackage};
use crate::task_context::TaskContext;

/// `voelgoed-chaos cells` against the release binary.
pub struct CellsSuite;

impl Suite for CellsSuite {
    fn name(&self) -> &'static str {
        "cells"
    }

    fn about(&self) -> &'static str {
        "Redis, Postgres, its replica, the provider, a node and a disk made unavailable: promised responses, recovery, nothing lost or doubled"
    }

    fn needs(&self) -> &'static [SystemPackage] {
        &[HAPROXY, POSTGRES, REDIS]
    }

    fn run(&self, context: &TaskContext) -> anyhow::Result<TestRun> {
        let mut command = context.program("voelgoed-chaos")?;
        command
            .arg("cells")
            .arg("--binary")
            .arg(context.release_binary()?)
            .arg("--root")
            .arg(context.target().join("chaos"));
        child_process::run_tests(&mut command, PROGRAM_TIMEOUT)
    }
}
