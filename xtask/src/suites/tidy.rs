//! The laws of the house are kept.

use super::Suite;
use crate::run::Run;
use crate::shell::Outcome;
use crate::tidy;

/// Each law is one test.
pub struct Tidy;

impl Suite for Tidy {
    fn name(&self) -> &'static str {
        "tidy"
    }

    fn about(&self) -> &'static str {
        "the laws of the house are kept"
    }

    fn run(&self, run: &Run) -> anyhow::Result<Outcome> {
        tidy::tally(&run.root).map(Into::into)
    }
}
