//! Classifies the errors of both engines by what the caller can do: retry, fail over, look up, or report a bug.
//!
//! Never: an engine's error code beyond this file. Only [`DbError::Ambiguous`] may have changed something; every other error changed nothing.

use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;
use voelgoed_app::error::{Dependency, Fault};
use voelgoed_domain::text_enum::UnknownText;

/// The result of the store layer.
pub type DbResult<T> = Result<T, DbError>;

/// Why a statement or a commit failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DbError {
    /// A unique index holds such a row already.
    #[error("unique violation: {0}")]
    UniqueViolation(String),
    /// The transaction conflicts with another one (deadlock, serialization failure, busy); a retry may succeed.
    #[error("conflict with another transaction, nothing was changed: {0}")]
    Serialization(String),
    /// The database does not answer, or cannot write.
    #[error("unavailable, nothing was changed: {0}")]
    Unavailable(String),
    /// The reply to a commit was lost: look up what was written before a retry.
    #[error("the commit may or may not have happened: {0}")]
    Ambiguous(String),
    /// A bug, or rows that contradict each other.
    #[error("{0}")]
    Internal(String),
}

impl DbError {
    /// [`DbError::Internal`] with this detail.
    pub fn internal(detail: impl std::fmt::Display) -> Self {
        Self::Internal(detail.to_string())
    }

    /// True for [`DbError::UniqueViolation`].
    #[must_use]
    pub const fn is_unique_violation(&self) -> bool {
        matches!(self, Self::UniqueViolation(_))
    }

    /// Reclassifies an error of a commit: unless the engine has refused the commit, it may have happened.
    pub(super) fn during_commit(self) -> Self {
        match self {
            Self::Unavailable(detail) | Self::Internal(detail) => Self::Ambiguous(detail),
            other => other,
        }
    }
}

impl From<DbError> for Fault {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Serialization(detail) | DbError::Unavailable(detail) => {
                Self::unavailable(Dependency::Cold, detail)
            }
            DbError::Ambiguous(detail) => Self::Ambiguous { dependency: Dependency::Cold, detail },
            DbError::UniqueViolation(detail) => Self::Internal(format!("unique violation: {detail}")),
            DbError::Internal(detail) => Self::Internal(detail),
        }
    }
}

impl From<UnknownText> for DbError {
    fn from(error: UnknownText) -> Self {
        Self::internal(error)
    }
}

impl From<serde_json::Error> for DbError {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(error)
    }
}

impl From<std::num::TryFromIntError> for DbError {
    fn from(error: std::num::TryFromIntError) -> Self {
        Self::internal(error)
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        let detail = error.to_string();
        match &error {
            sqlx::Error::Database(refused) if refused.is_unique_violation() => Self::UniqueViolation(detail),
            sqlx::Error::Database(refused) => match ErrorClass::of(&**refused) {
                ErrorClass::Conflict => Self::Serialization(detail),
                ErrorClass::Unavailable => Self::Unavailable(detail),
                ErrorClass::Other => Self::Internal(detail),
            },
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::BeginFailed => Self::Unavailable(detail),
            _ => Self::Internal(detail),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum ErrorClass {
    Conflict,
    Unavailable,
    Other,
}

impl ErrorClass {
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
            "40001" | "40P01" => Self::Conflict,
            // Lock timeout, statement timeout, a standby (until its promotion), idle session timeout.
            "55P03" | "57014" | "25006" | "25P03" | "25P04" => Self::Unavailable,
            // Connection, resource (disk, memory, connections), operator intervention and system errors.
            _ if ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class)) => Self::Unavailable,
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
            Some(BUSY | LOCKED) => Self::Conflict,
            Some(READONLY | IOERR | FULL | CANTOPEN) => Self::Unavailable,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_codes_are_classified_by_their_low_byte() {
        for (code, class) in [
            ("5", ErrorClass::Conflict),
            ("517", ErrorClass::Conflict),
            ("262", ErrorClass::Conflict),
            ("10", ErrorClass::Unavailable),
            ("778", ErrorClass::Unavailable),
            ("13", ErrorClass::Unavailable),
            ("1", ErrorClass::Other),
            ("787", ErrorClass::Other),
            ("?", ErrorClass::Other),
        ] {
            assert_eq!(ErrorClass::of_sqlite(Some(code)), class, "{code}");
        }
        assert_eq!(ErrorClass::of_sqlite(None), ErrorClass::Other);
    }

    #[test]
    fn postgres_sqlstates_are_classified() {
        for (code, class) in [
            ("40001", ErrorClass::Conflict),
            ("40P01", ErrorClass::Conflict),
            ("57P01", ErrorClass::Unavailable),
            ("57014", ErrorClass::Unavailable),
            ("55P03", ErrorClass::Unavailable),
            ("25006", ErrorClass::Unavailable),
            ("53100", ErrorClass::Unavailable),
            ("08006", ErrorClass::Unavailable),
            ("23503", ErrorClass::Other),
            ("42501", ErrorClass::Other),
        ] {
            assert_eq!(ErrorClass::of_postgres(code), class, "{code}");
        }
    }

    #[test]
    fn lost_connection_is_ambiguous_only_during_a_commit() {
        assert!(matches!(DbError::from(sqlx::Error::WorkerCrashed), DbError::Unavailable(_)));
        assert!(matches!(DbError::from(sqlx::Error::WorkerCrashed).during_commit(), DbError::Ambiguous(_)));
        assert!(matches!(DbError::Serialization(String::new()).during_commit(), DbError::Serialization(_)));
    }
}
