//! What can go wrong with a statement, told by what a caller can do about it.
//!
//! Never: an engine's code beyond this file. Promise: [`Error::Ambiguous`] only where a commit may have happened; every other error changed nothing.

use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;
use voelgoed_app::error::{Dependency, Fault};
use voelgoed_domain::named::UnknownName;

/// The result of this layer.
pub type Result<T> = std::result::Result<T, Error>;

/// A fault of the database, or of what was asked of it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// A unique index has that row already; nothing was changed.
    #[error("unique violation: {0}")]
    Unique(String),
    /// The transaction met another one (deadlock, serialization failure, busy); the same again may succeed.
    #[error("met another transaction: {0}")]
    Serialization(String),
    /// The database does not answer, or cannot write; nothing was changed.
    #[error("away: {0}")]
    Away(String),
    /// The answer to a commit was lost: look before repeating.
    #[error("commit unanswered: {0}")]
    Ambiguous(String),
    /// A bug, or data that contradicts itself.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// [`Error::Internal`].
    pub fn internal(detail: impl std::fmt::Display) -> Self {
        Self::Internal(detail.to_string())
    }

    /// True for [`Error::Unique`].
    #[must_use]
    pub const fn is_unique(&self) -> bool {
        matches!(self, Self::Unique(_))
    }

    /// The same error, told by a commit: unless the engine said no, nobody knows.
    pub(super) fn at_commit(self) -> Self {
        match self {
            Self::Away(detail) | Self::Internal(detail) => Self::Ambiguous(detail),
            other => other,
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Serialization(detail) | Error::Away(detail) => Self::away(Dependency::Cold, detail),
            Error::Ambiguous(detail) => Self::Ambiguous { dependency: Dependency::Cold, detail },
            Error::Unique(detail) => Self::Internal(format!("unique violation: {detail}")),
            Error::Internal(detail) => Self::Internal(detail),
        }
    }
}

impl From<UnknownName> for Error {
    fn from(error: UnknownName) -> Self {
        Self::internal(error)
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(error)
    }
}

impl From<std::num::TryFromIntError> for Error {
    fn from(error: std::num::TryFromIntError) -> Self {
        Self::internal(error)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let detail = error.to_string();
        match &error {
            sqlx::Error::Database(refused) if refused.is_unique_violation() => Self::Unique(detail),
            sqlx::Error::Database(refused) => match Class::of(&**refused) {
                Class::Met => Self::Serialization(detail),
                Class::Away => Self::Away(detail),
                Class::Other => Self::Internal(detail),
            },
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::BeginFailed => Self::Away(detail),
            _ => Self::Internal(detail),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Class {
    Met,
    Away,
    Other,
}

impl Class {
    fn of(refused: &dyn DatabaseError) -> Self {
        match refused.try_downcast_ref::<PgDatabaseError>() {
            Some(refused) => Self::of_postgres(refused.code()),
            None => Self::of_sqlite(refused.code().as_deref()),
        }
    }

    /// By Postgres' SQLSTATE (postgresql.org/docs/current/errcodes-appendix.html).
    fn of_postgres(code: &str) -> Self {
        match code {
            // Serialization failure, deadlock.
            "40001" | "40P01" => Self::Met,
            // A row stayed locked, a statement took too long, the server is a standby (a promotion is on its way), a session was idle for too long.
            "55P03" | "57014" | "25006" | "25P03" | "25P04" => Self::Away,
            // Connections, resources (disk, memory, connections), operator intervention, faults of the system.
            _ if ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class)) => Self::Away,
            _ => Self::Other,
        }
    }

    /// By SQLite's extended result code, whose low byte is the primary one (sqlite.org/rescode.html).
    fn of_sqlite(code: Option<&str>) -> Self {
        const BUSY: u32 = 5;
        const LOCKED: u32 = 6;
        const READONLY: u32 = 8;
        const IOERR: u32 = 10;
        const FULL: u32 = 13;
        const CANTOPEN: u32 = 14;
        match code.and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff) {
            Some(BUSY | LOCKED) => Self::Met,
            Some(READONLY | IOERR | FULL | CANTOPEN) => Self::Away,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_fall_into_classes_by_their_low_byte() {
        for (code, class) in [
            ("5", Class::Met),
            ("517", Class::Met),
            ("262", Class::Met),
            ("10", Class::Away),
            ("778", Class::Away),
            ("13", Class::Away),
            ("1", Class::Other),
            ("787", Class::Other),
            ("?", Class::Other),
        ] {
            assert_eq!(Class::of_sqlite(Some(code)), class, "{code}");
        }
        assert_eq!(Class::of_sqlite(None), Class::Other);
    }

    #[test]
    fn states_of_postgres_fall_into_classes() {
        for (code, class) in [
            ("40001", Class::Met),
            ("40P01", Class::Met),
            ("57P01", Class::Away),
            ("57014", Class::Away),
            ("55P03", Class::Away),
            ("25006", Class::Away),
            ("53100", Class::Away),
            ("08006", Class::Away),
            ("23503", Class::Other),
            ("42501", Class::Other),
        ] {
            assert_eq!(Class::of_postgres(code), class, "{code}");
        }
    }

    #[test]
    fn only_a_commit_is_ambiguous() {
        assert!(matches!(Error::from(sqlx::Error::WorkerCrashed), Error::Away(_)));
        assert!(matches!(Error::from(sqlx::Error::WorkerCrashed).at_commit(), Error::Ambiguous(_)));
        assert!(matches!(Error::Serialization(String::new()).at_commit(), Error::Serialization(_)));
    }
}
