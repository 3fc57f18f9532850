//! Defines the errors of commands: an expected refusal for the caller, or a fault of a dependency or of the program.
//!
//! Never: an HTTP status; `web` maps errors as its last step. The text of a `Fault` goes to the log, never to a client.

use voelgoed_domain::refusal::Refusal;

pub use voelgoed_resilience::Dependency;

/// A dependency or the program failed; the caller is not at fault.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Fault {
    /// The dependency cannot be reached; nothing was changed.
    #[error("{dependency:?} is unavailable: {detail}")]
    Unavailable {
        /// The dependency that failed.
        dependency: Dependency,
        /// Text for the log.
        detail: String,
    },
    /// The dependency did not answer, so the change may have been made; check before repeating it.
    #[error("{dependency:?} did not answer: {detail}")]
    Ambiguous {
        /// The dependency that failed.
        dependency: Dependency,
        /// Text for the log.
        detail: String,
    },
    /// A bug, or contradictory data.
    #[error("internal: {0}")]
    Internal(String),
}

impl Fault {
    /// [`Fault::Unavailable`].
    pub fn unavailable(dependency: Dependency, detail: impl std::fmt::Display) -> Self {
        Self::Unavailable { dependency, detail: detail.to_string() }
    }

    /// [`Fault::Internal`].
    pub fn internal(detail: impl std::fmt::Display) -> Self {
        Self::Internal(detail.to_string())
    }
}

/// The error of a command or query.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommandError {
    /// An expected refusal, with its stable code.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// An unexpected failure.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// The result of a command or query.
pub type CommandResult<T> = Result<T, CommandError>;

/// The result of a port method that has no expected refusal.
pub type StoreResult<T> = Result<T, Fault>;
