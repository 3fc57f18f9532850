//! Parses the command line that all benchmarks share.

use std::path::PathBuf;

use clap::Parser;

/// The command line of a program.
#[derive(Debug, Clone, Parser)]
pub struct BenchOptions {
    /// The server's release binary.
    #[arg(long, default_value = "target/release/voelgoed")]
    pub voelgoed: PathBuf,
    /// A directory on a real disk; the program makes and deletes everything in it.
    #[arg(long, default_value = "target/bench")]
    pub data: PathBuf,
    /// Rounds per figure.
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// A tenth of the load: shows that the program runs, not how fast.
    #[arg(long)]
    pub smoke: bool,
    /// Arguments of a program that starts itself as a child.
    #[arg(hide = true)]
    pub child: Vec<String>,
}

impl BenchOptions {
    /// `full`, or a tenth of it for a smoke run.
    #[must_use]
    pub const fn scaled(&self, full: usize) -> usize {
        if self.smoke { full.div_ceil(10) } else { full }
    }
}
