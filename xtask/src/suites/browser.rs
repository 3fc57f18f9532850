//! Runs the tests of `testing/browser` in Chromium against one demo server, then the sale against a cluster.
//!
//! Screenshots are written to target/screenshots.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{PROGRAM_TIMEOUT, Suite};
use crate::child_process::{self, TestRun};
use crate::demo_server::DemoServer;
use crate::system_packages::{CHROMEDRIVER, CHROMIUM, FONTS, HAPROXY, NPM, POSTGRES, REDIS, SystemPackage};
use crate::task_context::TaskContext;

/// Tests of `testing/browser`.
pub struct BrowserSuite;

impl Suite for BrowserSuite {
    fn name(&self) -> &'static str {
        "browser"
    }

    fn about(&self) -> &'static str {
        "buying on the map, on a phone and without scripts, from one node and from a cluster; two browsers see the same map"
    }

    fn needs(&self) -> &'static [SystemPackage] {
        &[CHROMIUM, CHROMEDRIVER, FONTS, HAPROXY, NPM, POSTGRES, REDIS]
    }

    fn owns(&self) -> &'static [&'static str] {
        &["voelgoed-browser"]
    }

    fn run(&self, context: &TaskContext) -> anyhow::Result<TestRun> {
        let data = context.target().join("suite-browser");
        if data.exists() {
            std::fs::remove_dir_all(&data)?;
        }
        let server = DemoServer::start(context.release_binary()?, &data)?;
        let axe = installed_axe(context)?;
        let mut test_run = run_browser_tests(
            context,
            server,
            &axe,
            &["sale", "no_script", "session_pages", "pictures", "accessible"],
        )?;
        // The cluster gets an empty data directory in each run, because the tests need the demo's first seats free.
        let root = context.target().join("suite-browser-cluster");
        if root.exists() {
            std::fs::remove_dir_all(&root)?;
        }
        test_run.add(run_browser_tests(context, DemoServer::start_cluster(context, &root)?, &axe, &["sale"])?);
        Ok(test_run)
    }
}

/// Runs tests of `testing/browser` against `server`, then stops it.
fn run_browser_tests(context: &TaskContext, server: DemoServer, axe: &Path, tests: &[&str]) -> anyhow::Result<TestRun> {
    let mut command = child_process::cargo(&context.root);
    command.args(["test", "--workspace"]);
    for test in tests {
        command.args(["--test", test]);
    }
    command
        .args(["--", "--test-threads=1", "--nocapture"])
        .env("VOELGOED_CARD", server.startup_info.to_string())
        .env("VOELGOED_AXE", axe);
    let test_run = child_process::run_tests(&mut command, PROGRAM_TIMEOUT)?;
    server.stop()?;
    Ok(test_run)
}

/// Installs axe-core below `target` in the version that testing/browser/axe pins; returns the path of its script.
fn installed_axe(context: &TaskContext) -> anyhow::Result<PathBuf> {
    let (wanted, home) = (context.root.join("testing/browser/axe"), context.target().join("axe"));
    let script = home.join("node_modules/axe-core/axe.min.js");
    let same = |file: &str| std::fs::read(home.join(file)).ok() == std::fs::read(wanted.join(file)).ok();
    if script.exists() && same("package-lock.json") {
        return Ok(script);
    }
    std::fs::create_dir_all(&home)?;
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(wanted.join(file), home.join(file))?;
    }
    child_process::run_checked(Command::new("npm").current_dir(&home).args([
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
    ]))?;
    Ok(script)
}
