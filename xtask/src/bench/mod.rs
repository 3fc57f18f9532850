//! The benchmarks of `cargo xtask bench`. Each measures something of ours beside its floor in the same run and prints ratios.
//!
//! Never: an absolute figure without what bounds it, a single sample. Figures that are kept go to docs/benchmarks.md.
//! To add one: a program of `testing/stress` with its entry in `programs.rs`, or a file here with a struct that implements [`Benchmark`]; and one line in
//! [`BENCHMARKS`]. A program prints [`figures::Measure`]s as JSON lines (see [`figures::of_program`]).

mod figures;
mod programs;
mod start;

use std::process::ExitCode;

use anyhow::bail;

use crate::clock::{Spoken, Stopwatch};
use crate::run::Run;
use figures::Figures;

/// Every benchmark.
const BENCHMARKS: &[&dyn Benchmark] = &[
    &start::Start,
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

/// Something that can be measured.
trait Benchmark: Sync {
    /// The name on the command line.
    fn name(&self) -> &'static str;

    /// What is measured against what, in one line.
    fn about(&self) -> &'static str;

    /// Measures, with several rounds per figure.
    fn run(&self, run: &Run) -> anyhow::Result<Figures>;
}

/// Runs the named benchmarks, or all; fails where a target is missed.
pub fn run_all(run: &Run, names: &[String]) -> anyhow::Result<ExitCode> {
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
        let stopwatch = Stopwatch::start();
        let figures = benchmark.run(run)?;
        println!("\n## {}: {}\n", benchmark.name(), benchmark.about());
        println!("{}", figures.markdown());
        eprintln!("({} in {})", benchmark.name(), Spoken(stopwatch.elapsed()));
        is_met &= figures.are_met();
    }
    Ok(if is_met { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
