//! Says how a server is started: its command, directories and settings.

use std::path::{Path, PathBuf};

/// The operator's key of servers that are started with [`ServerOptions::with_operator`].
pub const OPERATOR: &str = "operator-of-the-tests-0123456789abcdef";

/// The command of the binary that serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerCommand {
    /// `demo`: seeds events, starts a sandbox provider, and prints a card with addresses and keys.
    Demo,
    /// `serve` as `all`, `web` or `worker`.
    Serve(&'static str),
}

/// How a server is started.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Names the server in messages.
    pub name: String,
    /// The `voelgoed` binary.
    pub binary: PathBuf,
    /// The command that serves.
    pub command: ServerCommand,
    /// The data directory.
    pub data: PathBuf,
    /// Standard error; beside the data directory by default.
    pub log: PathBuf,
    /// Settings, e.g. `VOELGOED__SALE__HOLD`.
    pub environment: Vec<(String, String)>,
    /// Shell commands that run before the program takes the shell's place, e.g. `umask 000`.
    pub shell_prelude: Option<&'static str>,
    /// Whether `prlimit --fsize=0` makes file writes fail instead of ending the server, and leaves its log alone.
    pub survives_full_disk: bool,
    /// Whether data directory and log are deleted with the value.
    pub deletes_data: bool,
}

impl ServerOptions {
    /// A server of `binary` on `data`, with default settings.
    #[must_use]
    pub fn new(binary: &Path, command: ServerCommand, data: &Path) -> Self {
        Self {
            name: "the server".to_owned(),
            binary: binary.to_owned(),
            command,
            data: data.to_owned(),
            log: data.with_extension("log"),
            environment: Vec::new(),
            shell_prelude: None,
            survives_full_disk: false,
            deletes_data: false,
        }
    }

    /// Adds settings.
    #[must_use]
    pub fn with_environment<N: Into<String>, V: Into<String>>(
        mut self,
        settings: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.environment.extend(settings.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// Gives the server the operator's key [`OPERATOR`].
    #[must_use]
    pub fn with_operator(self) -> Self {
        self.with_environment([("VOELGOED__SECRETS__OPERATOR", OPERATOR)])
    }
}
