//! How a command ends when it does not succeed: an expected refusal, or a fault of a part.
//!
//! Never: an HTTP status; `web` maps these as its last step. Internal text stays in `Fault` and goes to the log, never to a client.

use voelgoed_domain::refusal::Refusal;

pub use voelgoed_resilience::Dependency;

/// Something is broken or away; not the caller's doing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Fault {
    /// The part does not answer; nothing was changed.
    #[error("{dependency:?} is away: {detail}")]
    Away {
        /// Which part.
        dependency: Dependency,
        /// For the log.
        detail: String,
    },
    /// The part may or may not have done it; look before repeating.
    #[error("{dependency:?} did not answer: {detail}")]
    Ambiguous {
        /// Which part.
        dependency: Dependency,
        /// For the log.
        detail: String,
    },
    /// A bug, or data that contradicts itself.
    #[error("internal: {0}")]
    Internal(String),
}

impl Fault {
    /// [`Fault::Away`].
    pub fn away(dependency: Dependency, detail: impl std::fmt::Display) -> Self {
        Self::Away { dependency, detail: detail.to_string() }
    }

    /// [`Fault::Internal`].
    pub fn internal(detail: impl std::fmt::Display) -> Self {
        Self::Internal(detail.to_string())
    }
}

/// How a command or query ends when it does not succeed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// An expected answer.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// The result of commands and queries.
pub type Result<T> = std::result::Result<T, Error>;

/// The result of port methods that have no expected refusal.
pub type StoreResult<T> = std::result::Result<T, Fault>;
