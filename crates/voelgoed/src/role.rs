//! Defines the roles of a process: web, worker, or both in one.

use std::fmt;

use clap::ValueEnum;

/// The role of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Role {
    /// Both halves in one process.
    #[default]
    All,
    /// Serves the shop and the API, fans availability out, and sends the charges of its own orders.
    Web,
    /// Relays the outbox, runs jobs and schedules, reconciles payments, frees expired holds. Listens for operators only (`server.internal_listen`).
    Worker,
}

impl Role {
    /// The name in logs, metrics and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Web => "web",
            Self::Worker => "worker",
        }
    }

    /// True if it serves the shop and the API.
    #[must_use]
    pub const fn serves(self) -> bool {
        matches!(self, Self::All | Self::Web)
    }

    /// True if it runs the relay, jobs and reconcilers.
    #[must_use]
    pub const fn works(self) -> bool {
        matches!(self, Self::All | Self::Worker)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
