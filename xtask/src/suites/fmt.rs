//! The code is formatted.

use super::{Suite, check};
use crate::run::Run;
use crate::shell::{self, Outcome};

/// `cargo fmt --check`.
pub struct Fmt;

impl Suite for Fmt {
    fn name(&self) -> &'static str {
        "fmt"
    }

    fn about(&self) -> &'static str {
        "the code is formatted (cure: cargo xtask fmt)"
    }

    fn run(&self, run: &Run) -> anyhow::Result<Outcome> {
        Ok(check(shell::cargo(&run.root).args(["fmt", "--all", "--check"])).into())
    }
}
