//! Far more buyers than places, over HTTP (P1).

use super::{LONGEST, Suite};
use crate::run::Run;
use crate::shell::{self, Outcome};

/// `voelgoed-chaos race` against the release binary.
pub struct Race;

impl Suite for Race {
    fn name(&self) -> &'static str {
        "race"
    }

    fn about(&self) -> &'static str {
        "2,000 buyers over HTTP for 100 places: exactly 100 are sold, everybody else gets a clean 409"
    }

    fn run(&self, run: &Run) -> anyhow::Result<Outcome> {
        let mut command = run.program("voelgoed-chaos")?;
        command.arg("race").arg("--binary").arg(run.release_binary()?).arg("--root").arg(run.target().join("chaos"));
        shell::tally(&mut command, LONGEST)
    }
}
