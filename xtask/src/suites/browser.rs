//! Buyers in real Chromium, and without scripts, against the release binary's demo. Screenshots go to target/screenshots.

use super::{LONGEST, Suite};
use crate::machine::{CHROMEDRIVER, CHROMIUM, FONTS, Need};
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
        "people buy on the map, on a phone and without scripts; two browsers see the same"
    }

    fn needs(&self) -> &'static [Need] {
        &[CHROMIUM, CHROMEDRIVER, FONTS]
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
        let mut command = shell::cargo(&run.root);
        command.args([
            "test",
            "--workspace",
            "--test",
            "sale",
            "--test",
            "no_script",
            "--test",
            "pictures",
            "--",
            "--test-threads=1",
            "--nocapture",
        ]);
        command.env("VOELGOED_CARD", shop.card.to_string());
        let outcome = shell::tally(&mut command, LONGEST)?;
        shop.close()?;
        Ok(outcome)
    }
}
