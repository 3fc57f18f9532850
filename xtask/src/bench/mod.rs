//! Runs the benchmarks of `cargo xtask bench`, each next to a baseline in the same run, and prints ratios as Markdown.
//!
//! Never: an absolute number without a baseline; a single sample. docs/benchmarks.md keeps the results.
//! To add one: a program of `testing/stress` with its entry in `programs.rs`, or a struct here that implements [`Benchmark`]; then a line in
//! [`BENCHMARKS`]. A program prints its measurements as JSON lines (see [`measurements::run_program`]).

mod demo_start;
mod measurements;
mod programs;

use std::process::ExitCode;

use anyhow::bail;

use crate::step_timer::{HumanDuration, StepTimer};
use crate::task_context::TaskContext;
use measurements::BenchmarkReport;

/// Every benchmark.
const BENCHMARKS: &[&dyn Benchmark] = &[
    &demo_start::DemoStartBenchmark,
    &programs::HOLD,
    &programs::HOLD_REDIS,
    &programs::GROWTH,
    &programs::COMMITTER,
    &programs::COMMITTER_POSTGRES,
    &programs::BEST_AVAILABLE,
    &programs::FANOUT,
    &programs::UNDER_LOAD,
    &programs::RATES,
    &programs::SALE,
    &programs::FLUSH,
    &programs::KILLED,
    &programs::REFUSALS,
];

/// One benchmark.
trait Benchmark: Sync {
    /// The name on the command line.
    fn name(&self) -> &'static str;

    /// One line: what is measured against which baseline.
    fn about(&self) -> &'static str;

    /// Measures, with several samples per measurement.
    fn run(&self, context: &TaskContext) -> anyhow::Result<BenchmarkReport>;
}

/// Runs the named benchmarks, or all; a missed target is a failure.
pub fn run_all(context: &TaskContext, names: &[String]) -> anyhow::Result<ExitCode> {
    if let Some(unknown) =
        names.iter().find(|name| !BENCHMARKS.iter().any(|benchmark| benchmark.name() == name.as_str()))
    {
        let known: Vec<_> = BENCHMARKS.iter().map(|benchmark| benchmark.name()).collect();
        bail!("there is no benchmark `{unknown}`; there are: {}", known.join(", "));
    }
    let mut is_met = true;
    for benchmark in BENCHMARKS {
        if !names.is_empty() && !names.iter().any(|name| name == benchmark.name()) {
            continue;
        }
        let timer = StepTimer::start();
        let report = benchmark.run(context)?;
        println!("\n## {}: {}\n", benchmark.name(), benchmark.about());
        println!("{}", report.markdown());
        eprintln!("({} in {})", benchmark.name(), HumanDuration(timer.elapsed()));
        is_met &= report.are_met();
    }
    Ok(if is_met { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
