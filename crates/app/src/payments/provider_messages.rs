//! Defines what a payment gateway sends to a provider and receives from it: charges, refunds, their states, and callbacks.

use voelgoed_domain::ids::{OrderId, OrganizationId, PaymentId, RefundId};
use voelgoed_domain::money::Money;
use voelgoed_domain::payments::decide::{Observation, PROVIDER_TEXT_CHARS_MAX};
use voelgoed_domain::time::Timestamp;

/// The key of an attempt at its provider: organization, order and attempt, so that a callback can be routed without a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProviderKey {
    /// The organization.
    pub organization: OrganizationId,
    /// The order.
    pub order: OrderId,
    /// The attempt.
    pub payment: PaymentId,
}

/// The buyer's choice of payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentChoice {
    /// The provider's name.
    pub provider: String,
    /// One of the provider's methods.
    pub method: String,
}

/// A charge to request from a provider.
#[derive(Debug, Clone)]
pub struct Charge {
    /// The idempotency key at the provider.
    pub key: ProviderKey,
    /// The amount.
    pub amount: Money,
    /// The chosen method.
    pub method: String,
    /// The provider must refuse the charge after this moment.
    pub send_before: Timestamp,
    /// The deadline of the buyer's payment.
    pub pay_by: Timestamp,
}

/// A refund to request from a provider.
#[derive(Debug, Clone)]
pub struct RefundCharge {
    /// The idempotency key at the provider.
    pub refund: RefundId,
    /// The captured attempt.
    pub key: ProviderKey,
    /// The amount.
    pub amount: Money,
}

/// The state of a refund at its provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundObservation {
    /// Accepted and not finished.
    Pending,
    /// The money is on its way.
    Done {
        /// The provider's own reference.
        provider_ref: String,
    },
    /// Refused, with the provider's reason.
    Failed {
        /// The provider's text, for the organizer.
        reason: String,
    },
    /// The request did not reach the provider.
    NotReached,
    /// Unknown: the provider did not answer.
    NoAnswer,
}

impl RefundObservation {
    /// Repairs and truncates the provider's texts for the store; see [`Observation::cleaned`].
    #[must_use]
    pub fn cleaned(self) -> Self {
        let text = |text: String| voelgoed_domain::text::repair_and_truncate(&text, PROVIDER_TEXT_CHARS_MAX);
        match self {
            Self::Done { provider_ref } => Self::Done { provider_ref: text(provider_ref) },
            Self::Failed { reason } => Self::Failed { reason: text(reason) },
            other => other,
        }
    }
}

/// A verified callback.
#[derive(Debug, Clone)]
pub struct Callback {
    /// The key of the attempt.
    pub key: ProviderKey,
    /// The reported state of the attempt.
    pub observation: Observation,
}

/// Why a callback was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallbackRejected {
    /// The signature is wrong.
    #[error("the signature is wrong")]
    Forged,
    /// Outside of the time window.
    #[error("the callback is too old or from the future")]
    Stale,
    /// It cannot be read.
    #[error("the callback cannot be read")]
    Malformed,
    /// Valid, but its key names no attempt of this platform.
    #[error("the callback names no attempt of this platform")]
    NotOurs,
}
