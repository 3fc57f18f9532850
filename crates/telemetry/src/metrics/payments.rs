//! Metrics of payment attempts, callbacks and refunds (P2).

use std::time::Duration;

use metrics::{Counter, Gauge};

use crate::family::Family;
use crate::metric::{Label, Metric, Unit, label_values};

const PROVIDER: Label = Label::open("provider");

/// Payment attempts that ended.
pub const PAYMENT_ATTEMPTS_TOTAL: Metric = Metric::counter(
    "payments",
    "voelgoed_payment_attempts_total",
    &[AttemptEnd::LABEL],
    "Payment attempts that reached an end state.",
);
/// Payment attempts whose result is not known.
pub const PAYMENTS_UNRESOLVED: Metric = Metric::gauge(
    "payments",
    "voelgoed_payments_unresolved",
    Unit::Count,
    &[],
    "Payment attempts whose result is not known yet; their places are frozen.",
);
/// Age of the oldest of them.
pub const PAYMENTS_OLDEST_UNRESOLVED_SECONDS: Metric = Metric::gauge(
    "payments",
    "voelgoed_payments_oldest_unresolved_seconds",
    Unit::Seconds,
    &[],
    "Age of the oldest unresolved payment attempt; an alarm above 15 minutes.",
);
/// Callbacks from a provider.
pub const PROVIDER_CALLBACKS_TOTAL: Metric = Metric::counter(
    "payments",
    "voelgoed_provider_callbacks_total",
    &[PROVIDER, CallbackResult::LABEL],
    "Callbacks received from payment providers by result.",
);
/// Refunds by state.
pub const REFUNDS_TOTAL: Metric =
    Metric::counter("payments", "voelgoed_refunds_total", &[RefundStep::LABEL], "Refunds by the state they reached.");

label_values! {
    /// The end state of a payment attempt.
    AttemptEnd = "end" {
        /// The money is captured.
        Captured = "captured",
        /// Captured after the order had ended.
        CapturedUnmatched = "captured_late",
        /// Declined by the provider.
        Failed = "failed",
        /// Cancelled at the provider, nothing captured.
        Voided = "voided",
        /// Not known yet; counted although it is no end state.
        Unknown = "unknown",
    }
}

label_values! {
    /// The result of a callback.
    CallbackResult = "result" {
        /// It changed an attempt.
        Applied = "applied",
        /// It stated another amount than requested, and the provider could not confirm it yet; raises an alarm.
        Odd = "odd_amount",
        /// It named an unknown attempt; raises an alarm.
        NoAttempt = "no_attempt",
        /// It changed nothing.
        Repeated = "repeated",
        /// Signature, time window or body was invalid.
        Rejected = "rejected",
        /// The cold tier was unavailable; the response makes the provider repeat it.
        Deferred = "deferred",
    }
}

label_values! {
    /// The state a refund reached.
    RefundStep = "state" {
        /// Recorded, not sent or not confirmed.
        Pending = "pending",
        /// The provider confirmed it.
        Done = "done",
        /// The provider refused it.
        Failed = "failed",
        /// Its result is not known.
        Unknown = "unknown",
    }
}

/// Every metric of this area.
pub const ALL: &[Metric] = &[
    PAYMENT_ATTEMPTS_TOTAL,
    PAYMENTS_UNRESOLVED,
    PAYMENTS_OLDEST_UNRESOLVED_SECONDS,
    PROVIDER_CALLBACKS_TOTAL,
    REFUNDS_TOTAL,
];

static ATTEMPTS: Family<Counter, 1> = Family::of(&PAYMENT_ATTEMPTS_TOTAL);
static UNRESOLVED: Family<Gauge, 0> = Family::of(&PAYMENTS_UNRESOLVED);
static OLDEST: Family<Gauge, 0> = Family::of(&PAYMENTS_OLDEST_UNRESOLVED_SECONDS);
static CALLBACKS: Family<Counter, 2> = Family::of(&PROVIDER_CALLBACKS_TOTAL);
static REFUNDS: Family<Counter, 1> = Family::of(&REFUNDS_TOTAL);

/// Counts an attempt that reached an end state.
pub fn attempt_ended(end: AttemptEnd) {
    ATTEMPTS.at([end.as_str()], |counter| counter.increment(1));
}

/// Sets the number of unresolved attempts and the age of the oldest; the reconciler calls it in each round.
pub fn unresolved(attempts: u64, oldest: Duration) {
    UNRESOLVED.at([], |gauge| gauge.set(attempts as f64));
    OLDEST.at([], |gauge| gauge.set(oldest));
}

/// Counts a callback.
pub fn provider_callback(provider: &str, result: CallbackResult) {
    CALLBACKS.at([provider, result.as_str()], |counter| counter.increment(1));
}

/// Counts a refund that reached a state.
pub fn refund(state: RefundStep) {
    REFUNDS.at([state.as_str()], |counter| counter.increment(1));
}
