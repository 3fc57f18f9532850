//! How long `voelgoed demo` takes until it serves: on an empty data directory, and on one that is there already.
//!
//! A restart after a crash is an outage; it must not grow with what was seeded.

use std::path::Path;

use super::Benchmark;
use super::figures::{Claim, Figures, Measure, Target};
use crate::clock::Stopwatch;
use crate::run::Run;
use crate::shop::Shop;

const ROUNDS: usize = 5;

/// The benchmark.
pub struct Start;

impl Benchmark for Start {
    fn name(&self) -> &'static str {
        "start"
    }

    fn about(&self) -> &'static str {
        "until the demo serves: first start with seeding, and restart on the same data"
    }

    fn run(&self, run: &Run) -> anyhow::Result<Figures> {
        let binary = run.release_binary()?;
        let data = run.target().join("bench-start");
        let (mut first, mut restart) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            if data.exists() {
                std::fs::remove_dir_all(&data)?;
            }
            first.push(seconds_until_served(binary, &data)?);
            restart.push(seconds_until_served(binary, &data)?);
        }
        let measure = |name: &str, samples| Measure { name: name.into(), unit: "s".into(), samples };
        let measures = vec![measure("first start", first), measure("restart", restart)];
        let claims = vec![
            Claim::Value("restart", Target::AtMost(2.0)),
            Claim::Ratio("first start", "restart", Target::AtLeast(1.0)),
        ];
        Ok(Figures { measures, claims })
    }
}

/// Opens the shop, which waits until it serves, and closes it.
fn seconds_until_served(binary: &Path, data: &Path) -> anyhow::Result<f64> {
    let stopwatch = Stopwatch::start();
    let shop = Shop::open(binary, data)?;
    let took = stopwatch.elapsed().as_secs_f64();
    shop.close()?;
    Ok(took)
}
