//! Runs cargo-deny (bans, licences, sources) and cargo-machete (unused dependencies); a long run builds both, a short run uses them if they are installed.
//!
//! Never: advisories, which need a network. The tidy rule `supply` checks the policy of `deny.toml` without cargo-deny.

use std::process::Command;

use super::{Suite, check};
use crate::cargo_tool::CargoTool;
use crate::child_process::TestRun;
use crate::task_context::TaskContext;
use crate::test_counts::TestCounts;

const CARGO_DENY: CargoTool = CargoTool { name: "cargo-deny", version: "0.20.2" };
const CARGO_MACHETE: CargoTool = CargoTool { name: "cargo-machete", version: "0.9.2" };

/// `cargo-deny check` and `cargo-machete`.
pub struct DependenciesSuite;

impl Suite for DependenciesSuite {
    fn name(&self) -> &'static str {
        "dependencies"
    }

    fn about(&self) -> &'static str {
        "cargo-deny agrees about bans, licences and sources; cargo-machete finds no unused dependency (skipped if not installed; --long builds them)"
    }

    fn run(&self, context: &TaskContext) -> anyhow::Result<TestRun> {
        let mut counts = run_tool(context, &CARGO_DENY, &["--offline", "check", "bans", "licenses", "sources"])?;
        counts.add(run_tool(context, &CARGO_MACHETE, &[])?);
        Ok(counts.into())
    }
}

fn run_tool(context: &TaskContext, tool: &CargoTool, arguments: &[&str]) -> anyhow::Result<TestCounts> {
    let program = match context.long {
        true => Some(tool.install(context)?),
        false => tool.find(context),
    };
    let Some(program) = program else {
        println!("skipped: {} is not installed; `cargo xtask test --long --only dependencies` builds it", tool.name);
        return Ok(TestCounts::skipped());
    };
    Ok(check(Command::new(program).args(arguments).current_dir(&context.root)))
}
