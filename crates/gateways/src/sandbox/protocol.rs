//! What travels between a shop and the sandbox provider, as JSON; README.md beside this file explains each call.
//!
//! Never: a type of our own domain beyond a moment in time; a provider knows nothing of orders and places.
//! To add a field: optional with a default, so that an older file or peer still reads.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use voelgoed_domain::time::Timestamp;

/// The names a shop may offer; the server's table of behaviours has exactly these.
pub const METHODS: &[&str] = &["ok", "declined", "slow", "timeout", "late", "twice", "lost", "down"];

/// Header with the Unix seconds at which a message was signed.
pub const TIMESTAMP_HEADER: &str = "x-sandbox-timestamp";

/// Header with `v1=` and the hexadecimal HMAC-SHA256 of `timestamp.body`.
pub const SIGNATURE_HEADER: &str = "x-sandbox-signature";

/// `POST /charges`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeRequest {
    /// The idempotency key, chosen by the shop; see [`is_key`].
    pub key: String,
    /// Minor units, above zero.
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

/// Where a charge stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargeState {
    /// Accepted and undecided.
    Pending,
    /// The money was taken.
    Captured,
    /// The buyer's bank said no.
    Declined,
    /// Cancelled before any money was taken.
    Voided,
}

/// A charge, as the provider tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeAnswer {
    /// The shop's key.
    pub key: String,
    /// Where it stands.
    pub state: ChargeState,
    /// Minor units.
    pub amount: i64,
    /// Three capital letters.
    pub currency: String,
    /// How it is paid.
    pub method: String,
    /// The provider's own reference.
    pub provider_ref: String,
    /// How much of it went back, in minor units.
    pub refunded: i64,
    /// When it arrived.
    pub created_at: Timestamp,
    /// When it was captured, declined or voided.
    pub settled_at: Option<Timestamp>,
}

/// `POST /charges/{key}/cancel`: `voided` also for a key that was unknown and is now barred.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelAnswer {
    /// The shop's key.
    pub key: String,
    /// Where the charge stands after the cancellation.
    pub state: ChargeState,
    /// The charge; absent where the key was unknown.
    pub charge: Option<ChargeAnswer>,
}

/// `POST /refunds`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundRequest {
    /// The idempotency key, chosen by the shop; see [`is_key`].
    pub key: String,
    /// The key of the captured charge.
    pub charge: String,
    /// Minor units, above zero; all refunds of a charge together never exceed it.
    pub amount: i64,
}

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// The money is on its way back.
    Done,
}

/// A refund, as the provider tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundAnswer {
    /// The shop's key.
    pub key: String,
    /// The key of the charge.
    pub charge: String,
    /// Where it stands.
    pub state: RefundState,
    /// Minor units.
    pub amount: i64,
    /// Three capital letters.
    pub currency: String,
    /// The provider's own reference.
    pub provider_ref: String,
    /// When it was accepted.
    pub at: Timestamp,
}

/// What the provider posts to the shop when a charge is captured or declined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackBody {
    /// The message's own identifier, the same in each repetition.
    pub id: String,
    /// The shop's key.
    pub key: String,
    /// `captured` or `declined`.
    pub state: ChargeState,
    /// Minor units; a number beyond `i64` counts as its end.
    #[serde(deserialize_with = "saturated")]
    pub amount: i64,
    /// Three capital letters.
    pub currency: String,
    /// The provider's own reference.
    pub provider_ref: String,
    /// When the charge was settled.
    pub at: Timestamp,
}

/// A whole number, cut to what `i64` holds, so that an absurd amount is read and judged instead of being unreadable for ever.
fn saturated<'de, D: Deserializer<'de>>(value: D) -> Result<i64, D::Error> {
    let number = serde_json::Number::deserialize(value)?;
    match (number.as_i64(), number.as_f64()) {
        (Some(amount), _) => Ok(amount),
        (None, Some(amount)) if amount.fract() == 0.0 && amount > 0.0 => Ok(i64::MAX),
        (None, Some(amount)) if amount.fract() == 0.0 => Ok(i64::MIN),
        _ => Err(Error::custom("an amount is a whole number of minor units")),
    }
}

/// `PUT /callback-url`, signed like a callback: where callbacks go from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackTarget {
    /// An absolute `http` URL.
    pub url: String,
}

/// `GET /methods`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodList {
    /// Every method and the base URL at which its charges are taken.
    pub methods: Vec<MethodEntry>,
}

/// One method and where its charges are taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodEntry {
    /// One of [`METHODS`].
    pub name: String,
    /// The base URL for `POST /charges` of this method.
    pub url: String,
}

/// Any answer that is not the wished-for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A stable code; README.md lists them.
    pub code: String,
    /// One sentence for a person.
    pub detail: String,
}

/// The line on stdout when the provider is ready, and the content of its lock file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// The base URL.
    pub url: String,
    /// The process.
    pub pid: u32,
    /// True where it ends with the process that started it, so that nobody else can count on it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ends_with_parent: bool,
}

/// The longest key, in bytes.
pub const LONGEST_KEY: usize = 200;

/// True for 1 to [`LONGEST_KEY`] letters, digits and `_ - . :`, so that a key is a path segment as it is.
#[must_use]
pub fn is_key(text: &str) -> bool {
    let lawful = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':');
    // "." and ".." are rewritten by URL parsers and never arrive as they were sent.
    !matches!(text, "" | "." | "..") && text.len() <= LONGEST_KEY && text.bytes().all(lawful)
}
