//! What the capability table promises is what happens where a store is really taken away (P10).

use super::{LONGEST, Suite};
use crate::machine::{HAPROXY, Need, POSTGRES, REDIS};
use crate::run::Run;
use crate::shell::{self, Outcome};

/// `voelgoed-chaos cells` against the release binary.
pub struct Cells;

impl Suite for Cells {
    fn name(&self) -> &'static str {
        "cells"
    }

    fn about(&self) -> &'static str {
        "Redis, Postgres, its replica, the provider, a node and a disk taken away: the promised answers, the return, nothing lost or doubled"
    }

    fn needs(&self) -> &'static [Need] {
        &[HAPROXY, POSTGRES, REDIS]
    }

    fn run(&self, run: &Run) -> anyhow::Result<Outcome> {
        let mut command = run.program("voelgoed-chaos")?;
        command.arg("cells").arg("--binary").arg(run.release_binary()?).arg("--root").arg(run.target().join("chaos"));
        shell::tally(&mut command, LONGEST)
    }
}
