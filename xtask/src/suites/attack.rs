//! One hostile address against the default limits, directly and through HAProxy; others go on, and malformed requests are refused.

use super::{LONGEST, Suite};
use crate::machine::{HAPROXY, Need};
use crate::run::Run;
use crate::shell::{self, Outcome};

/// `voelgoed-chaos attack` against the release binary.
pub struct Attack;

impl Suite for Attack {
    fn name(&self) -> &'static str {
        "attack"
    }

    fn about(&self) -> &'static str {
        "slow senders, non-readers, hoarders and floods from one address: a stranger buys and another's gate scans; malformed requests; file modes"
    }

    fn needs(&self) -> &'static [Need] {
        &[HAPROXY]
    }

    fn run(&self, run: &Run) -> anyhow::Result<Outcome> {
        let mut command = run.program("voelgoed-chaos")?;
        command.arg("attack").arg("--binary").arg(run.release_binary()?).arg("--root").arg(run.target().join("chaos"));
        command.arg("--haproxy").arg(run.root.join("deploy/haproxy/haproxy.cfg"));
        if run.long {
            command.arg("--long");
        }
        shell::tally(&mut command, LONGEST)
    }
}
