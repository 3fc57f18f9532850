//! What a process does: everything, or one half of it.

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
    /// Relays the outbox, runs jobs and schedules, reconciles payments, sweeps holds. Listens for operators only (`server.internal_listen`).
    Worker,
}

impl Role {
    /// Its name in logs, metrics and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Web => "web",
            Self::Worker => "worker",
        }
    }

    /// True where it serves people.
    #[must_use]
    pub const fn serves(self) -> bool {
        matches!(self, Self::All | Self::Web)
    }

    /// True where it does what goes on behind.
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
