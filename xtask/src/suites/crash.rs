//! What was acknowledged survives kill -9 (P3).

use super::{LONGEST, Suite};
use crate::run::Run;
use crate::shell::{self, Outcome};

/// `voelgoed-chaos crash` against the release binary.
pub struct Crash;

impl Suite for Crash {
    fn name(&self) -> &'static str {
        "crash"
    }

    fn about(&self) -> &'static str {
        "kill -9 under load: nothing acknowledged is lost or doubled, no place is stuck"
    }

    fn run(&self, run: &Run) -> anyhow::Result<Outcome> {
        let mut command = run.program("voelgoed-chaos")?;
        command.arg("crash").arg("--binary").arg(run.release_binary()?).arg("--root").arg(run.target().join("chaos"));
        command.args(["--kills", if run.long { "60" } else { "6" }]);
        shell::tally(&mut command, LONGEST)
    }
}
