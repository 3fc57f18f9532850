//! Puts load on a running shop and measures its cost: the programs of `cargo xtask bench` are in `bin/`, their shared code is here.
//!
//! Never: an assertion on a time (figures are printed; `cargo xtask bench` compares them), a load beyond loopback, a server that outlives its program.
//! To add a benchmark: a program in `bin/` that prints [`measures::Measures`], and its line in `xtask/src/bench/programs.rs`.

pub mod bench_server;
pub mod closed_loop;
pub mod latency;
pub mod measures;
pub mod open_loop;
pub mod options;
pub mod pgbench;
pub mod process;
pub mod raw_client;
pub mod redis_benchmark;
pub mod sale;
