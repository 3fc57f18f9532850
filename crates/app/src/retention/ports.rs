//! Declares the classes of rows that retention may delete, and the store that deletes them.

use async_trait::async_trait;
use voelgoed_domain::time::Timestamp;

use crate::error::StoreResult;

/// A class of rows that may be deleted at some age. Orders, payments, the ledger, tickets, entries and dead jobs are in no class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RetentionClass {
    /// Outbox events, by the time of their delivery; an undelivered event has no age.
    OutboxEvents,
    /// Stored answers of creating requests, by the time of the answer.
    Answers,
    /// Console logins, by the time of their end.
    Logins,
    /// Scans, by the time of receipt; admissions stay in the entries.
    Scans,
    /// Lines of the audit log, by the time of the act.
    AuditLines,
    /// Step counts, by their minute.
    Counts,
}

impl RetentionClass {
    /// All classes.
    pub const ALL: [Self; 6] =
        [Self::OutboxEvents, Self::Answers, Self::Logins, Self::Scans, Self::AuditLines, Self::Counts];

    /// The name in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OutboxEvents => "facts",
            Self::Answers => "answers",
            Self::Logins => "logins",
            Self::Scans => "scans",
            Self::AuditLines => "audit_lines",
            Self::Counts => "counts",
        }
    }
}

/// Deletes old rows of all organizations (system role).
#[async_trait]
pub trait RetentionStore: Send + Sync + 'static {
    /// Deletes rows older than `before`, oldest first, at most `limit` in one commit; returns the number of deleted rows.
    async fn delete(&self, class: RetentionClass, before: Timestamp, limit: u32) -> StoreResult<u64>;
}
