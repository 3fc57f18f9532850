//! Buyers in real Chromium, and without scripts, against the release binary's demo; the sale again, unchanged, against a platform of many nodes.
//! Screenshots go to target/screenshots.

use super::{LONGEST, Suite};
use crate::machine::{CHROMEDRIVER, CHROMIUM, FONTS, HAPROXY, Need, POSTGRES, REDIS};
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
        &[CHROMIUM, CHROMEDRIVER, FONTS, HAPROXY, POSTGRES, REDIS]
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
        let mut outcome = visit(run, shop, &["sale", "no_script", "pictures"])?;
        // What the cluster sells is made anew each time: its demo's first seats are free.
        let root = run.target().join("suite-browser-cluster");
        if root.exists() {
            std::fs::remove_dir_all(&root)?;
        }
        outcome.add(visit(run, Shop::open_platform(run, &root)?, &["sale"])?);
        Ok(outcome)
    }
}

/// Runs tests of `testing/browser` against a shop, and closes it.
fn visit(run: &Run, shop: Shop, tests: &[&str]) -> anyhow::Result<Outcome> {
    let mut command = shell::cargo(&run.root);
    command.args(["test", "--workspace"]);
    for test in tests {
        command.args(["--test", test]);
    }
    command.args(["--", "--test-threads=1", "--nocapture"]).env("VOELGOED_CARD", shop.card.to_string());
    let outcome = shell::tally(&mut command, LONGEST)?;
    shop.close()?;
    Ok(outcome)
}
