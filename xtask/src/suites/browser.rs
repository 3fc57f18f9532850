//! Buyers in real Chromium, and without scripts, against the release binary's demo; the sale again, unchanged, against a platform of many nodes.
//! Screenshots go to target/screenshots.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{LONGEST, Suite};
use crate::machine::{CHROMEDRIVER, CHROMIUM, FONTS, HAPROXY, NPM, Need, POSTGRES, REDIS};
use crate::run::Run;
use crate::shell::{self, Outcome};
use crate::shop::Shop;

/// The pages, as people use them.
pub struct Browser;

impl Suite for Browser {
    fn name(&self) -> &'static str {
        "browser"
    }

    fn about(&self) -> &'static str {
        "people buy on the map, on a phone and without scripts, from one node and from a cluster; two browsers see the same"
    }

    fn needs(&self) -> &'static [Need] {
        &[CHROMIUM, CHROMEDRIVER, FONTS, HAPROXY, NPM, POSTGRES, REDIS]
    }

    fn owns(&self) -> &'static [&'static str] {
        &["voelgoed-browser"]
    }

    fn run(&self, run: &Run) -> anyhow::Result<Outcome> {
        let data = run.target().join("suite-browser");
        if data.exists() {
            std::fs::remove_dir_all(&data)?;
        }
        let shop = Shop::open(run.release_binary()?, &data)?;
        let axe = installed_axe(run)?;
        let mut outcome = visit(run, shop, &axe, &["sale", "no_script", "kept", "pictures", "accessible"])?;
        // What the cluster sells is made anew each time: its demo's first seats are free.
        let root = run.target().join("suite-browser-cluster");
        if root.exists() {
            std::fs::remove_dir_all(&root)?;
        }
        outcome.add(visit(run, Shop::open_platform(run, &root)?, &axe, &["sale"])?);
        Ok(outcome)
    }
}

/// Runs tests of `testing/browser` against a shop, and closes it.
fn visit(run: &Run, shop: Shop, axe: &Path, tests: &[&str]) -> anyhow::Result<Outcome> {
    let mut command = shell::cargo(&run.root);
    command.args(["test", "--workspace"]);
    for test in tests {
        command.args(["--test", test]);
    }
    command
        .args(["--", "--test-threads=1", "--nocapture"])
        .env("VOELGOED_CARD", shop.card.to_string())
        .env("VOELGOED_AXE", axe);
    let outcome = shell::tally(&mut command, LONGEST)?;
    shop.close()?;
    Ok(outcome)
}

/// The rules of axe-core in the version of testing/browser/axe, installed below `target` and never shipped.
fn installed_axe(run: &Run) -> anyhow::Result<PathBuf> {
    let (wanted, home) = (run.root.join("testing/browser/axe"), run.target().join("axe"));
    let rules = home.join("node_modules/axe-core/axe.min.js");
    let same = |file: &str| std::fs::read(home.join(file)).ok() == std::fs::read(wanted.join(file)).ok();
    if rules.exists() && same("package-lock.json") {
        return Ok(rules);
    }
    std::fs::create_dir_all(&home)?;
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(wanted.join(file), home.join(file))?;
    }
    shell::must(Command::new("npm").current_dir(&home).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]))?;
    Ok(rules)
}
