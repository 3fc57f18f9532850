//! Describes a class of rows that retention may delete: its name in metrics and in `cold`, and its period.
//!
//! Orders, payments, the ledger, tickets, entries and dead jobs are in no class.

use std::time::Duration;

/// How long the classes with a setting are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionPeriods {
    /// Delivered outbox events.
    pub outbox_events: Duration,
    /// Scans.
    pub scans: Duration,
    /// Audit lines.
    pub audit_lines: Duration,
    /// Step counts.
    pub counts: Duration,
}

/// A class of rows that may be deleted at some age; the slice that writes the rows declares it.
#[derive(Debug, Clone, Copy)]
pub struct RetentionClass {
    /// The name in metrics, by which `cold` finds the statement.
    pub name: &'static str,
    /// The age at which rows are deleted: a setting, or a constant of the slice.
    pub period: fn(&RetentionPeriods) -> Duration,
}

/// Names are distinct.
impl PartialEq for RetentionClass {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for RetentionClass {}
