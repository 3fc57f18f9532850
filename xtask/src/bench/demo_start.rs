//! Measures how long `voelgoed demo` takes until it serves: with an empty data directory, and with an existing one.
//!
//! The service is down during a restart, so its duration must not grow with the data.

use std::path::Path;

use super::Benchmark;
use super::measurements::{BenchmarkReport, Claim, ClaimTarget, Measurement};
use crate::demo_server::DemoServer;
use crate::step_timer::StepTimer;
use crate::task_context::TaskContext;

const ROUNDS: usize = 5;

/// First start and restart of the demo.
pub struct DemoStartBenchmark;

impl Benchmark for DemoStartBenchmark {
    fn name(&self) -> &'static str {
        "start"
    }

    fn about(&self) -> &'static str {
        "until the demo serves: first start with seeding, and restart on the same data"
    }

    fn run(&self, context: &TaskContext) -> anyhow::Result<BenchmarkReport> {
        let binary = context.release_binary()?;
        let data = context.target().join("bench-start");
        let (mut first, mut restart) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            if data.exists() {
                std::fs::remove_dir_all(&data)?;
            }
            first.push(seconds_until_served(binary, &data)?);
            restart.push(seconds_until_served(binary, &data)?);
        }
        let measurement = |name: &str, samples| Measurement { name: name.into(), unit: "s".into(), samples };
        let measurements = vec![measurement("first start", first), measurement("restart", restart)];
        let claims = vec![
            Claim::Value("restart", ClaimTarget::AtMost(2.0)),
            Claim::Ratio("first start", "restart", ClaimTarget::AtLeast(1.0)),
        ];
        Ok(BenchmarkReport { measurements, claims })
    }
}

/// Starts the server, waits until it serves, and stops it.
fn seconds_until_served(binary: &Path, data: &Path) -> anyhow::Result<f64> {
    let timer = StepTimer::start();
    let server = DemoServer::start(binary, data)?;
    let took = timer.elapsed().as_secs_f64();
    server.stop()?;
    Ok(took)
}
