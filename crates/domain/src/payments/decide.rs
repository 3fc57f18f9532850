//! THE rule of what any knowledge about a payment attempt does; the same for an answer, a callback, a poll and a cancellation (P2).
//!
//! Never: a guess. What does not prove that no money can be taken leaves the places frozen; money that was taken ends in tickets or goes back.
//! Whatever is learned first wins; learning it again does nothing. To add an observation: a variant, its rows in the tests.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use voelgoed_planted::{Bug, planted};

use super::attempt::{AttemptEvent, AttemptState};
use crate::checkout::order::{OrderEvent, OrderState};
use crate::ids::PaymentId;
use crate::money::Money;
use crate::named::named;
use crate::text;
use crate::time::Timestamp;

/// How long after `pay_by` an answer on its way may still arrive before the attempt is cancelled at the provider.
pub const PAY_BY_GRACE: Duration = Duration::from_secs(5);

/// The most that is stored of a provider's reference or reason, in characters.
pub const PROVIDER_TEXT_MOST: usize = 500;

/// What was learned about an attempt, whoever said it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observation {
    /// The provider has it and has not decided.
    Pending,
    /// The provider has taken the money.
    Captured {
        /// How much it took.
        amount: Money,
        /// Its own reference.
        provider_ref: String,
    },
    /// A message says that the provider has taken the money. Where the amount is not the one that was asked for, that is no proof: the provider is asked.
    Claimed {
        /// How much, as the message says.
        amount: Money,
        /// The provider's own reference.
        provider_ref: String,
    },
    /// The provider refused.
    Declined {
        /// For the buyer.
        reason: String,
    },
    /// Cancelled there before money was taken, or unknown there and now barred against later use.
    Voided,
    /// The charge itself surely never left: the connection was refused. A poll or a cancellation that cannot connect is [`Self::NoAnswer`].
    NotReached,
    /// The provider was asked and does not know the key, without barring it: a charge may still be on its way.
    Absent,
    /// Nobody knows.
    NoAnswer,
}

impl Observation {
    /// The same with the provider's texts as they are stored: without characters that no store keeps, and not longer than
    /// [`PROVIDER_TEXT_MOST`].
    #[must_use]
    pub fn cleaned(self) -> Self {
        let text = |text: String| text::foreign(&text, PROVIDER_TEXT_MOST);
        match self {
            Self::Captured { amount, provider_ref } => Self::Captured { amount, provider_ref: text(provider_ref) },
            Self::Claimed { amount, provider_ref } => Self::Claimed { amount, provider_ref: text(provider_ref) },
            Self::Declined { reason } => Self::Declined { reason: text(reason) },
            other => other,
        }
    }
}

/// What the rule needs to know of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderFacts {
    /// Where it stands.
    pub state: OrderState,
    /// What is owed for it.
    pub total: Money,
    /// Until when the buyer may pay.
    pub pay_by: Timestamp,
}

/// Whether a provider can take a charge back before it is captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancellation {
    /// It can; nothing is freed without its word.
    AtProvider,
    /// It cannot; it states how long after `pay_by` a capture may still come, and later ones are late.
    Unsupported {
        /// The stated time.
        grace: Duration,
    },
}

/// What the rule needs to know of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptFacts {
    /// Which one.
    pub id: PaymentId,
    /// Where it stands.
    pub state: AttemptState,
    /// How much was asked for.
    pub amount: Money,
    /// True where a second sender leased it after the first went silent: that the second was refused a connection proves nothing of the first.
    pub taken_over: bool,
    /// What its provider can do.
    pub cancellation: Cancellation,
}

impl AttemptFacts {
    /// An attempt with one sender so far, at a provider that can cancel.
    #[must_use]
    pub const fn new(id: PaymentId, state: AttemptState, amount: Money) -> Self {
        Self { id, state, amount, taken_over: false, cancellation: Cancellation::AtProvider }
    }
}

named! {
    /// Why the order could not use the money.
    "reason of a late capture" LateWhy {
        /// The order is expired or cancelled.
        OrderClosed = "order_closed",
        /// Another attempt paid the order.
        AlreadyPaid = "already_paid",
        /// Not the amount that was asked for.
        AmountDiffers = "amount_differs",
        /// Not the currency that was asked for.
        CurrencyDiffers = "currency_differs",
    }
}

/// What follows from an observation; the store carries it out in one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Nothing new.
    Nothing,
    /// Nothing: no attempt has this identifier, and none ever will, since attempts are stored before a provider is asked.
    NoAttempt,
    /// The attempt stands so now (`pending` or `unknown`).
    Record(AttemptState),
    /// The attempt failed; the order keeps its places until `pay_by`, another attempt may follow.
    Fail {
        /// For the buyer.
        reason: String,
    },
    /// The attempt is void.
    Void {
        /// True: the order expires with it and its places are free.
        expire_order: bool,
    },
    /// Nothing yet: a message claims a capture of another amount, and the provider must be asked.
    Ask,
    /// Captured for this order: order paid, places sold, tickets issued.
    Issue,
    /// Captured, and the order cannot use it: see [`resolve_late`](super::late::resolve_late).
    CapturedLate {
        /// Why not.
        why: LateWhy,
    },
}

impl Decision {
    /// What happens to the attempt, where anything does.
    #[must_use]
    pub fn attempt_event(&self) -> Option<AttemptEvent> {
        match self {
            Self::Nothing | Self::NoAttempt | Self::Ask => None,
            Self::Record(AttemptState::Pending) => Some(AttemptEvent::Accept),
            Self::Record(_) => Some(AttemptEvent::Lose),
            Self::Fail { .. } => Some(AttemptEvent::Fail),
            Self::Void { .. } => Some(AttemptEvent::Void),
            Self::Issue => Some(AttemptEvent::Capture),
            Self::CapturedLate { .. } => Some(AttemptEvent::CaptureLate),
        }
    }

    /// What happens to the order, where anything does.
    #[must_use]
    pub fn order_event(&self) -> Option<OrderEvent> {
        match self {
            Self::Issue => Some(OrderEvent::Pay),
            Self::Void { expire_order: true } => Some(OrderEvent::Expire),
            _ => None,
        }
    }
}

/// What follows from `seen`.
#[must_use]
pub fn decide(order: &OrderFacts, attempt: &AttemptFacts, seen: &Observation, now: Timestamp) -> Decision {
    match seen {
        Observation::Captured { amount, .. } => return captured(order, attempt, *amount),
        Observation::Claimed { amount, .. } if *amount == attempt.amount || attempt.state.has_captured() => {
            return captured(order, attempt, *amount);
        }
        Observation::Claimed { .. } => return Decision::Ask,
        _ => {}
    }
    // What is settled stays settled, whatever arrives late or doubled; only money could reopen it.
    if !attempt.state.is_unresolved() {
        return Decision::Nothing;
    }
    match (seen, attempt.state) {
        (Observation::Captured { .. } | Observation::Claimed { .. } | Observation::Absent, _) => Decision::Nothing,
        (Observation::Pending, AttemptState::Pending) => Decision::Nothing,
        (Observation::Pending, _) => Decision::Record(AttemptState::Pending),
        (Observation::Declined { reason }, _) => Decision::Fail { reason: reason.clone() },
        (Observation::Voided, _) => Decision::Void { expire_order: is_over(order, now) },
        (Observation::NotReached, AttemptState::Created) if !attempt.taken_over => {
            Decision::Fail { reason: "The payment provider could not be reached. Nothing was charged.".to_owned() }
        }
        (Observation::NotReached | Observation::NoAnswer, AttemptState::Created) => {
            Decision::Record(AttemptState::Unknown)
        }
        // The provider is known to have it: while there is time, one silence changes nothing.
        (Observation::NoAnswer, AttemptState::Pending) if is_over(order, now) => {
            Decision::Record(AttemptState::Unknown)
        }
        (Observation::NotReached | Observation::NoAnswer, _) => Decision::Nothing,
    }
}

/// Money was taken: the amount is judged before the order, so that no odd amount ever buys anything.
fn captured(order: &OrderFacts, attempt: &AttemptFacts, amount: Money) -> Decision {
    if attempt.state.has_captured() {
        return Decision::Nothing;
    }
    if amount.amount <= 0 {
        // No money was taken: there is nothing to give back, and nothing is bought.
        return match attempt.state.is_unresolved() {
            true => Decision::Fail { reason: "The payment provider took no money.".to_owned() },
            false => Decision::Nothing,
        };
    }
    let late = |why| Decision::CapturedLate { why };
    if amount.currency != attempt.amount.currency || amount.currency != order.total.currency {
        return late(LateWhy::CurrencyDiffers);
    }
    if (amount != attempt.amount || amount != order.total) && !planted(Bug::OddAmountBuys) {
        return late(LateWhy::AmountDiffers);
    }
    match order.state {
        OrderState::AwaitingPayment => Decision::Issue,
        OrderState::Expired if planted(Bug::LateMoneyIssues) => Decision::Issue,
        OrderState::Paid | OrderState::PartiallyRefunded | OrderState::Refunded => late(LateWhy::AlreadyPaid),
        OrderState::Expired | OrderState::Cancelled => late(LateWhy::OrderClosed),
    }
}

/// True where the order still waits although its time and the grace are over.
pub(super) fn is_over(order: &OrderFacts, now: Timestamp) -> bool {
    order.state == OrderState::AwaitingPayment && now >= order.pay_by.plus(PAY_BY_GRACE)
}

#[cfg(test)]
mod tests;
