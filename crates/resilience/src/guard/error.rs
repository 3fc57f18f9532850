//! Error of a guarded call: names the layer that ended the call, and whether the call may have been done.
//!
//! Never: a guess. An unknown outcome is reported as ambiguous, and the caller must query the dependency before relying on either outcome (P2).

use voelgoed_telemetry::metrics::resilience::GuardEnd;

use crate::breaker::BreakerOpen;
use crate::bulkhead::BulkheadFull;
use crate::retry_after::RetryAfter;

/// Why a guarded call returned no value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuardError<E> {
    /// The deadline of the call, the attempt or the request passed.
    #[error("`{dependency}` did not reply in time")]
    Deadline {
        /// The name of [`crate::GuardLimit`].
        dependency: &'static str,
        /// Whether an attempt was sent that may have been done.
        ambiguous: bool,
    },
    /// Too many calls are in flight; nothing was sent.
    #[error(transparent)]
    Bulkhead(BulkheadFull),
    /// The dependency failed too often recently; nothing was sent.
    #[error("`{dependency}`: {open}")]
    Breaker {
        /// The name of [`crate::GuardLimit`].
        dependency: &'static str,
        /// Says when to retry.
        open: BreakerOpen,
    },
    /// The dependency's own error, from the last attempt.
    #[error("`{dependency}`: {error}")]
    Failed {
        /// The name of [`crate::GuardLimit`].
        dependency: &'static str,
        /// The error of the last attempt.
        error: E,
        /// Whether any attempt may have been done; false if the dependency refused the only one.
        ambiguous: bool,
    },
}

impl<E> GuardError<E> {
    /// Whether the outcome is unknown: query the dependency before relying on either outcome (P2).
    #[must_use]
    pub const fn is_ambiguous(&self) -> bool {
        matches!(self, Self::Deadline { ambiguous: true, .. } | Self::Failed { ambiguous: true, .. })
    }

    /// When to retry, if a limit of this process refused the call.
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
