//! Bans, licences and sources once more, by cargo-deny where somebody installed it.
//!
//! Never needs the network: advisories are not asked for. The law `supply` keeps the same rules without cargo-deny.

use std::process::{Command, Stdio};

use super::{Suite, check};
use crate::report::Tally;
use crate::run::Run;
use crate::shell::{self, Outcome};

/// `cargo deny check bans licenses sources`.
pub struct Deny;

impl Suite for Deny {
    fn name(&self) -> &'static str {
        "deny"
    }

    fn about(&self) -> &'static str {
        "cargo-deny agrees about bans, licences and sources (only where it is installed)"
    }

    fn run(&self, run: &Run) -> anyhow::Result<Outcome> {
        let mut probe = Command::new("cargo-deny");
        probe.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        if !probe.status().is_ok_and(|status| status.success()) {
            println!("skipped: cargo-deny is not installed; the law `supply` of tidy has checked the same rules");
            return Ok(Tally::skipped().into());
        }
        let rules = ["deny", "--offline", "check", "bans", "licenses", "sources"];
        Ok(check(shell::cargo(&run.root).args(rules)).into())
    }
}
