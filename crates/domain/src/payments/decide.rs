//! Decides what an observation of a payment attempt changes; one rule for answers, callbacks, polls and cancellations (P2).
//!
//! Never: a guess. Places stay claimed until the provider proves that the attempt cannot be captured; a capture ends in tickets or in a refund. The first
//! observation wins, and repeating it changes nothing. To add an observation: a variant, and its rows in the tests.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::attempt::{AttemptState, AttemptTransition};
use crate::checkout::order::{OrderState, OrderTransition};
use crate::ids::PaymentId;
use crate::money::Money;
use crate::text;
use crate::text_enum::text_enum;
use crate::time::Timestamp;

/// How long after `pay_by` an answer may still arrive before the attempt is cancelled at the provider.
pub const PAY_BY_GRACE: Duration = Duration::from_secs(5);

/// How many characters of a provider's reference or reason are stored.
pub const PROVIDER_TEXT_CHARS_MAX: usize = 500;

/// The state of an attempt at its provider, as an answer, a callback, a poll or a cancellation reports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observation {
    /// The provider has the attempt and has not decided.
    Pending,
    /// The provider has captured the money.
    Captured {
        /// The captured amount.
        amount: Money,
        /// The provider's reference.
        provider_ref: String,
    },
    /// A message claims a capture. With another amount than the requested one it is no proof, and the provider is queried.
    Claimed {
        /// The amount that the message claims.
        amount: Money,
        /// The provider's reference.
        provider_ref: String,
    },
    /// The provider declined.
    Declined {
        /// The reason, shown to the buyer.
        reason: String,
    },
    /// The provider cancelled the attempt before a capture, or does not know its key and has barred it against later use.
    Voided,
    /// The charge was never sent: its connection was refused. A poll or cancellation that cannot connect is [`Self::NoAnswer`].
    NotReached,
    /// The provider does not know the key and has not barred it: a charge may still be on its way.
    Absent,
    /// The provider did not answer; the outcome is unknown.
    NoAnswer,
}

impl Observation {
    /// Sanitizes the provider's texts for storage: removes characters that a store rejects, and truncates to [`PROVIDER_TEXT_CHARS_MAX`].
    #[must_use]
    pub fn cleaned(self) -> Self {
        let text = |text: String| text::repair_and_truncate(&text, PROVIDER_TEXT_CHARS_MAX);
        match self {
            Self::Captured { amount, provider_ref } => Self::Captured { amount, provider_ref: text(provider_ref) },
            Self::Claimed { amount, provider_ref } => Self::Claimed { amount, provider_ref: text(provider_ref) },
            Self::Declined { reason } => Self::Declined { reason: text(reason) },
            other => other,
        }
    }
}

/// The order, as input of the payment rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderInputs {
    /// The order's state.
    pub state: OrderState,
    /// The amount to pay.
    pub total: Money,
    /// When the buyer's time to pay ends.
    pub pay_by: Timestamp,
}

/// Whether a provider can cancel a charge before its capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancellation {
    /// It can; places are freed only after it has confirmed the cancellation.
    AtProvider,
    /// It cannot; a capture counts as late when it comes after the stated time.
    Unsupported {
        /// How long after `pay_by` a capture may still come.
        grace: Duration,
    },
}

/// A payment attempt, as input of the payment rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptInputs {
    /// The attempt's identifier.
    pub id: PaymentId,
    /// The attempt's state.
    pub state: AttemptState,
    /// The requested amount.
    pub amount: Money,
    /// True where a second sender leased the attempt. A refused connection of the second says nothing about what the first has sent.
    pub has_second_sender: bool,
    /// Whether the provider can cancel.
    pub cancellation: Cancellation,
}

impl AttemptInputs {
    /// An attempt with one sender, at a provider that can cancel.
    #[must_use]
    pub const fn new(id: PaymentId, state: AttemptState, amount: Money) -> Self {
        Self { id, state, amount, has_second_sender: false, cancellation: Cancellation::AtProvider }
    }
}

text_enum! {
    /// Why a capture matches no order that awaits it; stored as the reason of the attempt.
    "reason of an unmatched capture" UnmatchedReason {
        /// The order is expired or cancelled.
        OrderClosed = "order_closed",
        /// Another attempt paid the order.
        AlreadyPaid = "already_paid",
        /// The captured amount is not the requested one.
        AmountDiffers = "amount_differs",
        /// The captured currency is not the requested one.
        CurrencyDiffers = "currency_differs",
    }
}

/// What an observation changes; the store executes the decision in one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentDecision {
    /// The observation changes nothing.
    Nothing,
    /// No attempt has this identifier. Attempts are stored before they are sent, so this is final.
    NoAttempt,
    /// The attempt gets this state (`pending` or `unknown`).
    Record(AttemptState),
    /// The attempt failed. The order keeps its places until `pay_by`, and another attempt may follow.
    Fail {
        /// The reason, shown to the buyer.
        reason: String,
    },
    /// The attempt is void.
    Void {
        /// True where the order expires with the attempt and its places are freed.
        expire_order: bool,
    },
    /// Nothing yet: a message claims a capture of another amount, so the provider must be queried.
    QueryProvider,
    /// Captured for this order: it is paid, its places are sold, its tickets are issued.
    Issue,
    /// Captured, but the order cannot use the money; the attempt becomes `captured_late`, and
    /// [`resolve_unmatched`](super::unmatched_capture::resolve_unmatched) decides what follows.
    CapturedUnmatched {
        /// Why the order cannot use the money.
        why: UnmatchedReason,
    },
}

impl PaymentDecision {
    /// The transition of the attempt, if any.
    #[must_use]
    pub fn attempt_transition(&self) -> Option<AttemptTransition> {
        match self {
            Self::Nothing | Self::NoAttempt | Self::QueryProvider => None,
            Self::Record(AttemptState::Pending) => Some(AttemptTransition::Accept),
            Self::Record(_) => Some(AttemptTransition::Lose),
            Self::Fail { .. } => Some(AttemptTransition::Fail),
            Self::Void { .. } => Some(AttemptTransition::Void),
            Self::Issue => Some(AttemptTransition::Capture),
            Self::CapturedUnmatched { .. } => Some(AttemptTransition::CaptureUnmatched),
        }
    }

    /// The transition of the order, if any.
    #[must_use]
    pub fn order_transition(&self) -> Option<OrderTransition> {
        match self {
            Self::Issue => Some(OrderTransition::Pay),
            Self::Void { expire_order: true } => Some(OrderTransition::Expire),
            _ => None,
        }
    }
}

/// Decides what the observation `seen` changes.
#[must_use]
pub fn decide(order: &OrderInputs, attempt: &AttemptInputs, seen: &Observation, now: Timestamp) -> PaymentDecision {
    match seen {
        Observation::Captured { amount, .. } => return captured(order, attempt, *amount),
        Observation::Claimed { amount, .. } if *amount == attempt.amount || attempt.state.has_captured() => {
            return captured(order, attempt, *amount);
        }
        Observation::Claimed { .. } => return PaymentDecision::QueryProvider,
        _ => {}
    }
    // A resolved attempt stays resolved; only a capture could change it.
    if !attempt.state.is_unresolved() {
        return PaymentDecision::Nothing;
    }
    match (seen, attempt.state) {
        (Observation::Captured { .. } | Observation::Claimed { .. } | Observation::Absent, _) => {
            PaymentDecision::Nothing
        }
        (Observation::Pending, AttemptState::Pending) => PaymentDecision::Nothing,
        (Observation::Pending, _) => PaymentDecision::Record(AttemptState::Pending),
        (Observation::Declined { reason }, _) => PaymentDecision::Fail { reason: reason.clone() },
        (Observation::Voided, _) => PaymentDecision::Void { expire_order: is_overdue(order, now) },
        (Observation::NotReached, AttemptState::Created) if !attempt.has_second_sender => PaymentDecision::Fail {
            reason: "The payment provider could not be reached. Nothing was charged.".to_owned(),
        },
        (Observation::NotReached | Observation::NoAnswer, AttemptState::Created) => {
            PaymentDecision::Record(AttemptState::Unknown)
        }
        // The provider is known to have the attempt: one missing answer changes nothing while there is time.
        (Observation::NoAnswer, AttemptState::Pending) if is_overdue(order, now) => {
            PaymentDecision::Record(AttemptState::Unknown)
        }
        (Observation::NotReached | Observation::NoAnswer, _) => PaymentDecision::Nothing,
    }
}

/// Decides on a capture. Checks the amount before the order, so that a wrong amount never buys anything.
fn captured(order: &OrderInputs, attempt: &AttemptInputs, amount: Money) -> PaymentDecision {
    if attempt.state.has_captured() {
        return PaymentDecision::Nothing;
    }
    if amount.amount <= 0 {
        // A capture of zero buys nothing and needs no refund.
        return match attempt.state.is_unresolved() {
            true => PaymentDecision::Fail { reason: "The payment provider took no money.".to_owned() },
            false => PaymentDecision::Nothing,
        };
    }
    let unmatched = |why| PaymentDecision::CapturedUnmatched { why };
    if amount.currency != attempt.amount.currency || amount.currency != order.total.currency {
        return unmatched(UnmatchedReason::CurrencyDiffers);
    }
    if amount != attempt.amount || amount != order.total {
        return unmatched(UnmatchedReason::AmountDiffers);
    }
    match order.state {
        OrderState::AwaitingPayment => PaymentDecision::Issue,
        OrderState::Paid | OrderState::PartiallyRefunded | OrderState::Refunded => {
            unmatched(UnmatchedReason::AlreadyPaid)
        }
        OrderState::Expired | OrderState::Cancelled => unmatched(UnmatchedReason::OrderClosed),
    }
}

/// True where the order still awaits payment after `pay_by` and the grace.
pub(super) fn is_overdue(order: &OrderInputs, now: Timestamp) -> bool {
    order.state == OrderState::AwaitingPayment && now >= order.pay_by.plus(PAY_BY_GRACE)
}

#[cfg(test)]
mod tests;
