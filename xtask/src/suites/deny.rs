//! Checks bans, licences and sources with cargo-deny if it is installed.
//!
//! Never: the network, so advisories are not checked. The tidy rule `supply` checks the same policy without cargo-deny.

use std::process::{Command, Stdio};

use super::{Suite, check};
use crate::child_process::{self, TestRun};
use crate::task_context::TaskContext;
use crate::test_counts::TestCounts;

/// `cargo deny check bans licenses sources`.
pub struct DenySuite;

impl Suite for DenySuite {
    fn name(&self) -> &'static str {
        "deny"
    }

    fn about(&self) -> &'static str {
        "cargo-deny agrees about bans, licences and sources (only if it is installed)"
    }

    fn run(&self, context: &TaskContext) -> anyhow::Result<TestRun> {
        let mut probe = Command::new("cargo-deny");
        probe.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        if !probe.status().is_ok_and(|status| status.success()) {
            println!("skipped: cargo-deny is not installed; the tidy rule `supply` has checked the same policy");
            return Ok(TestCounts::skipped().into());
        }
        let rules = ["deny", "--offline", "check", "bans", "licenses", "sources"];
        Ok(check(child_process::cargo(&context.root).args(rules)).into())
    }
}
