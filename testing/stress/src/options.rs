//! What every program is told: where the server's binary is, where it may write, how thorough to be.

use std::path::PathBuf;

use clap::Parser;

/// The command line of a program.
#[derive(Debug, Clone, Parser)]
pub struct Options {
    /// The server's release binary.
    #[arg(long, default_value = "target/release/voelgoed")]
    pub voelgoed: PathBuf,
    /// A directory on a real disk; everything within is made and deleted by the program.
    #[arg(long, default_value = "target/bench")]
    pub data: PathBuf,
    /// Rounds per figure.
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// A tenth of the load: shows that it runs, not how fast.
    #[arg(long)]
    pub smoke: bool,
    /// What a program asks of itself as its own child.
    #[arg(hide = true)]
    pub child: Vec<String>,
}

impl Options {
    /// `full`, or a tenth of it for a smoke.
    #[must_use]
    pub const fn scaled(&self, full: usize) -> usize {
        if self.smoke { full.div_ceil(10) } else { full }
    }
}
