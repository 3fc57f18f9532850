//! Defines payment attempts and refunds as stores read and write them.

use uuid::Uuid;
use voelgoed_domain::ids::{EventId, OrderId, OrganizationId, PaymentId, RefundId, TicketId};
use voelgoed_domain::money::Money;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::{Cancellation, Observation};
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::payments::refund_plan::RefundSelection;
use voelgoed_domain::time::Timestamp;

use crate::jobs::ports::NewJob;

/// A stored payment attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its identifier.
    pub id: PaymentId,
    /// The organization.
    pub organization: OrganizationId,
    /// The event of the order.
    pub event: EventId,
    /// The order.
    pub order: OrderId,
    /// The number within the order, from 1.
    pub number: u32,
    /// The provider's name.
    pub provider: String,
    /// The chosen method.
    pub method: String,
    /// The state.
    pub state: AttemptState,
    /// The amount.
    pub amount: Money,
    /// The provider's own reference, if it is known.
    pub provider_ref: Option<String>,
    /// Why the attempt failed, or the [`UnmatchedReason`](voelgoed_domain::payments::decide::UnmatchedReason) of its capture.
    pub reason: Option<String>,
    /// The charge is not sent after this time.
    pub send_before: Timestamp,
    /// The deadline after which the order's places are freed.
    pub pay_by: Timestamp,
    /// How the charge can be cancelled.
    pub cancellation: Cancellation,
    /// The time of creation.
    pub created_at: Timestamp,
}

/// A new attempt to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttempt {
    /// Its identifier.
    pub id: PaymentId,
    /// The provider's name.
    pub provider: String,
    /// The chosen method.
    pub method: String,
    /// The amount.
    pub amount: Money,
    /// The charge is not sent after this time.
    pub send_before: Timestamp,
    /// How the charge can be cancelled.
    pub cancellation: Cancellation,
}

/// The right to send an attempt to its provider until a time; a later lease fences an earlier one by its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendLease {
    /// The fencing token.
    pub token: Uuid,
    /// The end of the lease.
    pub until: Timestamp,
}

/// An observation of an attempt to commit, with the job that its consequences may need.
#[derive(Debug, Clone)]
pub struct PaymentObservation {
    /// The attempt.
    pub payment: PaymentId,
    /// The observation.
    pub observation: Observation,
    /// The time.
    pub at: Timestamp,
    /// The job to write if the capture matches no order; present for every observed capture.
    pub unmatched_capture_job: Option<NewJob>,
}

/// A stored refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Its identifier.
    pub id: RefundId,
    /// The organization.
    pub organization: OrganizationId,
    /// The event of the order.
    pub event: EventId,
    /// The order.
    pub order: OrderId,
    /// The attempt whose money is refunded; none for tickets of a free order.
    pub payment: Option<PaymentId>,
    /// The provider's name; empty for a free order.
    pub provider: String,
    /// The amount.
    pub amount: Money,
    /// The tickets that the refund revokes.
    pub tickets: Vec<TicketId>,
    /// The reason, for people.
    pub reason: String,
    /// The state.
    pub state: RefundState,
    /// The provider's reason if it refused.
    pub failure: Option<String>,
    /// True once the tickets are revoked in all tiers and their places are free.
    pub tickets_revoked: bool,
    /// The time of creation.
    pub created_at: Timestamp,
}

/// A refund to write; its tickets become `revoking` in the same commit.
#[derive(Debug, Clone)]
pub struct NewRefund {
    /// The requested selection, which the commit checks again.
    pub selection: RefundSelection,
    /// Whether tickets are revoked, if the request says so.
    pub revoke: Option<bool>,
    /// Its identifier.
    pub id: RefundId,
    /// The order.
    pub order: OrderId,
    /// The attempt whose money is refunded; none for tickets of a free order.
    pub payment: Option<PaymentId>,
    /// The amount.
    pub amount: Money,
    /// The tickets that the refund revokes.
    pub tickets: Vec<TicketId>,
    /// The reason, for people.
    pub reason: String,
    /// True if also tickets that have admitted may be refunded.
    pub forced: bool,
    /// The acting key or member, or `system`.
    pub actor: String,
    /// The time.
    pub at: Timestamp,
    /// The job that executes the refund.
    pub job: NewJob,
}

/// The unresolved attempts, for alarms and gauges.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UnresolvedPayments {
    /// The number of unresolved attempts.
    pub count: u64,
    /// The creation time of the oldest, if there is one.
    pub oldest: Option<Timestamp>,
}
