//! What retention needs of the cold tier.

use async_trait::async_trait;
use voelgoed_domain::time::Timestamp;

use crate::error::StoreResult;

/// What may be deleted once it is old enough. Orders, payments, the journal, tickets, entries and dead jobs are not among it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RetentionClass {
    /// Facts of the outbox, by when they were delivered; one that is still to be delivered has no age.
    Facts,
    /// Answers of creating requests, by when they were given.
    Answers,
    /// Console logins, by when they ended.
    Logins,
    /// Readings of tickets, by when they were received; who was let in stays in the entries.
    Scans,
    /// Lines of the audit log, by when they were written.
    AuditLines,
    /// What nodes counted, by its minute.
    Counts,
}

impl RetentionClass {
    /// Everything.
    pub const ALL: [Self; 6] = [Self::Facts, Self::Answers, Self::Logins, Self::Scans, Self::AuditLines, Self::Counts];

    /// Its name in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Facts => "facts",
            Self::Answers => "answers",
            Self::Logins => "logins",
            Self::Scans => "scans",
            Self::AuditLines => "audit_lines",
            Self::Counts => "counts",
        }
    }
}

/// Deletes what is over (system role: the remains of all organizations age alike).
#[async_trait]
pub trait RetentionStore: Send + Sync + 'static {
    /// Deletes what is older than `before`, the oldest first, at most `most` in one commit; returns how many.
    async fn delete(&self, remains: RetentionClass, before: Timestamp, most: u32) -> StoreResult<u64>;
}
