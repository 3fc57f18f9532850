//! Several nodes on shared tiers, one of them killed, all of them restarted (P1, P3, P8).

use super::{LONGEST, Suite};
use crate::machine::{HAPROXY, Need, POSTGRES, REDIS};
use crate::run::Run;
use crate::shell::{self, Outcome};

/// `voelgoed-nodes check` against the release binary.
pub struct Nodes;

impl Suite for Nodes {
    fn name(&self) -> &'static str {
        "nodes"
    }

    fn about(&self) -> &'static str {
        "one sale across nodes on Redis and Postgres; restarts without a dropped request; warm emptied at the peak; a node killed under load"
    }

    fn needs(&self) -> &'static [Need] {
        &[HAPROXY, POSTGRES, REDIS]
    }

    fn run(&self, run: &Run) -> anyhow::Result<Outcome> {
        let mut command = run.program("voelgoed-nodes")?;
        command.arg("check").arg("--binary").arg(run.release_binary()?).arg("--root").arg(run.target().join("nodes"));
        if run.long {
            command.arg("--long");
        }
        shell::tally(&mut command, LONGEST)
    }
}
