//! Load on a running shop, and what it costs: the programs of `cargo xtask bench` are in `bin/`, what they share is here.
//!
//! Never: a timed assertion (figures are printed; `cargo xtask bench` judges them), a load beyond loopback, a server that outlives its program.
//! To add a benchmark: a program in `bin/` that prints [`measure::print`] lines, and its line in `xtask/src/bench/programs.rs`.

pub mod client;
pub mod crowd;
pub mod latency;
pub mod measure;
pub mod options;
pub mod paced;
pub mod pgbench;
pub mod process;
pub mod redis_benchmark;
pub mod sale;
pub mod shop;
