//! No payment needs a human, whoever is killed when (P2).

use super::{LONGEST, Suite};
use crate::report::Tally;
use crate::run::Run;
use crate::shell;

/// `voelgoed-chaos payments` against the release binary.
pub struct Payments;

impl Suite for Payments {
    fn name(&self) -> &'static str {
        "payments"
    }

    fn about(&self) -> &'static str {
        "every sandbox method ends in a ticket, no charge or a refund, with server and provider killed at every step"
    }

    fn run(&self, run: &Run) -> anyhow::Result<Tally> {
        let mut command = shell::cargo(&run.root);
        command.args(["run", "--quiet", "--package", "voelgoed-chaos", "--", "payments"]);
        command.arg("--binary").arg(run.release_binary()?).arg("--root").arg(run.target().join("chaos"));
        Ok(shell::tally(&mut command, LONGEST)?.tally)
    }
}
