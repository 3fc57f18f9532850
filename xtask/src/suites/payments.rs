//! No payment needs a human, whoever is killed when (P2).

use super::{LONGEST, Suite};
use crate::run::Run;
use crate::shell::{self, Outcome};

/// `voelgoed-chaos payments` against the release binary.
pub struct Payments;

impl Suite for Payments {
    fn name(&self) -> &'static str {
        "payments"
    }

    fn about(&self) -> &'static str {
        "every sandbox method ends in a ticket, no charge or a refund, with server and provider killed at every step"
    }

    fn run(&self, run: &Run) -> anyhow::Result<Outcome> {
        let mut command = run.program("voelgoed-chaos")?;
        command
            .arg("payments")
            .arg("--binary")
            .arg(run.release_binary()?)
            .arg("--root")
            .arg(run.target().join("chaos"));
        shell::tally(&mut command, LONGEST)
    }
}
