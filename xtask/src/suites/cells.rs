//! Runs `voelgoed-chaos cells`, which breaks one dependency at a time and checks that each capability responds as the capability table says (P10).

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
        "breaks Redis, Postgres, its replica, the provider, a node and a disk in turn: promised responses, recovery, nothing lost or doubled"
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
