//! Defines the JSON bodies and header names of the provider's HTTP calls and callbacks; README.md explains each call.
//!
//! Never: a type of the shop's domain other than a timestamp.
//! To add a field: optional with a default, so that older files and peers still read it.

use serde::{Deserialize, Serialize};
use voelgoed_domain::time::Timestamp;

/// The payment methods, in the order of the table in `payment_methods`.
pub const METHODS: &[&str] = &["ok", "declined", "slow", "timeout", "late", "twice", "lost", "down"];

/// Header with the Unix seconds at which a message was signed.
pub const TIMESTAMP_HEADER: &str = "x-sandbox-timestamp";

/// Header with `v1=` and the hexadecimal HMAC-SHA256 of `timestamp.body`.
pub const SIGNATURE_HEADER: &str = "x-sandbox-signature";

/// The maximum length of a key.
pub const KEY_BYTES_MAX: usize = 200;

/// True for 1 to [`KEY_BYTES_MAX`] letters, digits and `_ - . :`, so that a key is a path segment without escaping.
#[must_use]
pub fn is_key(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':');
    // URL parsers rewrite "." and "..", so neither arrives as it was sent.
    !matches!(text, "" | "." | "..") && text.len() <= KEY_BYTES_MAX && text.bytes().all(is_allowed)
}

/// The body of `POST /charges`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeRequest {
    /// The idempotency key, chosen by the shop; see [`is_key`].
    pub key: String,
    /// In minor units, above zero.
    pub amount: i64,
    /// Three capital letters.
    pub currency: String,
    /// One of [`METHODS`].
    pub method: String,
    /// A charge that arrives later is refused.
    pub send_before: Timestamp,
    /// Until when the buyer may pay; absent means `send_before`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_by: Option<Timestamp>,
}

/// The state of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargeState {
    /// Accepted and undecided.
    Pending,
    /// The money was taken.
    Captured,
    /// The buyer's bank refused the payment.
    Declined,
    /// Cancelled before any money was taken.
    Voided,
}

/// A charge in a reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeReply {
    /// The shop's key.
    pub key: String,
    /// The present state.
    pub state: ChargeState,
    /// In minor units.
    pub amount: i64,
    /// Three capital letters.
    pub currency: String,
    /// One of [`METHODS`].
    pub method: String,
    /// The provider's own reference.
    pub provider_ref: String,
    /// The sum of its refunds, in minor units.
    pub refunded: i64,
    /// When it arrived.
    pub created_at: Timestamp,
    /// When it was captured, declined or voided.
    pub settled_at: Option<Timestamp>,
}

/// The reply to `POST /charges/{key}/cancel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelReply {
    /// The shop's key.
    pub key: String,
    /// The state after the cancellation; `voided` also for an unknown key, which is barred from then on.
    pub state: ChargeState,
    /// The charge; absent where the key was unknown.
    pub charge: Option<ChargeReply>,
}

/// The body of `POST /refunds`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundChargeRequest {
    /// The idempotency key, chosen by the shop; see [`is_key`].
    pub key: String,
    /// The key of the captured charge.
    pub charge: String,
    /// In minor units, above zero; all refunds of a charge together never exceed its amount.
    pub amount: i64,
}

/// The state of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// Accepted; the money is on its way back.
    Done,
}

/// A refund in a reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundReply {
    /// The shop's key of the refund.
    pub key: String,
    /// The key of the charge.
    pub charge: String,
    /// The present state.
    pub state: RefundState,
    /// In minor units.
    pub amount: i64,
    /// Three capital letters.
    pub currency: String,
    /// The provider's own reference.
    pub provider_ref: String,
    /// When it was accepted.
    pub at: Timestamp,
}

/// The body that the provider posts to the shop when a charge is captured or declined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackBody {
    /// The callback's own identifier, the same in each retry.
    pub id: String,
    /// The shop's key of the charge.
    pub key: String,
    /// `captured` or `declined`.
    pub state: ChargeState,
    /// In minor units.
    pub amount: i64,
    /// Three capital letters.
    pub currency: String,
    /// The provider's own reference.
    pub provider_ref: String,
    /// When the charge was settled.
    pub at: Timestamp,
}

/// The body of `PUT /callback-url`, signed like a callback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackTarget {
    /// An absolute `http` URL.
    pub url: String,
}

/// The reply to `GET /methods`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodList {
    /// Every method.
    pub methods: Vec<MethodEntry>,
}

/// One method and the address for its charges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodEntry {
    /// One of [`METHODS`].
    pub name: String,
    /// The base URL for `POST /charges` of this method.
    pub url: String,
}

/// The reply to `GET /health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderHealth {
    /// Always `ok`.
    pub status: String,
    /// The provider's process.
    pub pid: u32,
    /// Charges, refunds and barred keys.
    pub records: usize,
    /// Callbacks that are not delivered yet.
    pub callbacks_waiting: usize,
}

/// The body of every reply whose status is not 2xx.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// A stable code; README.md lists them.
    pub code: String,
    /// One sentence for a person.
    pub detail: String,
}

/// The line on standard output when the provider answers, and the content of its lock file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderEndpoint {
    /// The base URL.
    pub url: String,
    /// The provider's process.
    pub pid: u32,
    /// True where it ends with the process that started it, so that other processes cannot rely on it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ends_with_parent: bool,
}
