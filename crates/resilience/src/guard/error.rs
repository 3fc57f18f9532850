//! Why a guarded call brought no answer: which layer ended it, and whether the call may have been done.
//!
//! Never: a guess. What nobody knows is said to be in doubt, and whoever relies on it asks the other side (P2).

use voelgoed_telemetry::metrics::resilience::GuardEnd;

use crate::breaker::BreakerOpen;
use crate::bulkhead::BulkheadFull;
use crate::retry_after::RetryAfter;

/// Why a guarded call brought no answer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuardError<E> {
    /// The deadline of the call, the attempt or the request passed.
    #[error("`{dependency}` did not answer in time")]
    Deadline {
        /// Who was called.
        dependency: &'static str,
        /// Whether an attempt had begun that may have been done.
        may_be_done: bool,
    },
    /// Too many calls are under way; nothing was sent.
    #[error(transparent)]
    Bulkhead(BulkheadFull),
    /// The dependency failed too often of late; nothing was sent.
    #[error("`{dependency}`: {open}")]
    Breaker {
        /// Who was not called.
        dependency: &'static str,
        /// For how long.
        open: BreakerOpen,
    },
    /// The dependency's own error, from the last attempt.
    #[error("`{dependency}`: {error}")]
    Failed {
        /// Who was called.
        dependency: &'static str,
        /// What it said.
        error: E,
        /// Whether any attempt may have been done; false for an answered no.
        may_be_done: bool,
    },
}

impl<E> GuardError<E> {
    /// True where nobody knows whether the call was done: ask before doing anything that relies on either (P2).
    #[must_use]
    pub const fn may_be_done(&self) -> bool {
        matches!(self, Self::Deadline { may_be_done: true, .. } | Self::Failed { may_be_done: true, .. })
    }

    /// When it is worth asking again, where a layer of ours refused.
    #[must_use]
    pub const fn retry_after(&self) -> Option<RetryAfter> {
        match self {
            Self::Breaker { open, .. } => Some(open.retry_after),
            Self::Bulkhead(_) | Self::Deadline { .. } => Some(RetryAfter::seconds(1)),
            Self::Failed { .. } => None,
        }
    }

    pub(super) const fn end(&self) -> GuardEnd {
        match self {
            Self::Deadline { .. } => GuardEnd::Deadline,
            Self::Bulkhead(_) => GuardEnd::Bulkhead,
            Self::Breaker { .. } => GuardEnd::Breaker,
            Self::Failed { .. } => GuardEnd::Failed,
        }
    }
}
