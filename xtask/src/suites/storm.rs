//! Everything breaks again and again over the real tiers, and the clients' journals judge (P1-P7).

use super::{LONGEST, Suite};
use crate::machine::{Need, POSTGRES, REDIS};
use crate::run::Run;
use crate::shell::{self, Outcome};

/// `voelgoed-chaos storm` against the release binary.
pub struct Storm;

impl Suite for Storm {
    fn name(&self) -> &'static str {
        "storm"
    }

    fn about(&self) -> &'static str {
        "nodes, Redis, Postgres, the provider and the ways between them broken under load: nothing oversold, lost, doubled or mixed"
    }

    fn needs(&self) -> &'static [Need] {
        &[POSTGRES, REDIS]
    }

    fn run(&self, run: &Run) -> anyhow::Result<Outcome> {
        let mut command = run.program("voelgoed-chaos")?;
        command.arg("storm").arg("--binary").arg(run.release_binary()?).arg("--root").arg(run.target().join("chaos"));
        // Each kind once, always in the same way; in the long run another way each time.
        let much: &[&str] = match run.long {
            true => &["--injections", "300"],
            false => &["--injections", "24", "--seed", "1"],
        };
        command.args(much);
        shell::tally(&mut command, LONGEST)
    }
}
