//! The laws of the house are kept.

use super::Suite;
use crate::report::Tally;
use crate::run::Run;
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

    fn run(&self, run: &Run) -> anyhow::Result<Tally> {
        tidy::tally(&run.root)
    }
}
