//! Defines the JSON bodies that the gateway sends and reads, with only the fields that it uses.
//!
//! Never: a field that the gateway does not need; the provider may add fields and change others.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use voelgoed_domain::time::Timestamp;

/// The payment methods that the provider offers.
pub const METHODS: &[&str] = &["ok", "declined", "slow", "timeout", "late", "twice", "lost", "down"];

/// Header with the Unix seconds at which a message was signed.
pub const TIMESTAMP_HEADER: &str = "x-sandbox-timestamp";

/// Header with `v1=` and the hexadecimal HMAC-SHA256 of `timestamp.body`.
pub const SIGNATURE_HEADER: &str = "x-sandbox-signature";

/// The body of `POST /charges`.
#[derive(Debug, Serialize)]
pub struct SendCharge {
    pub key: String,
    /// In minor units.
    pub amount: i64,
    pub currency: String,
    pub method: String,
    pub send_before: Timestamp,
    pub pay_by: Timestamp,
}

/// The body of `POST /refunds`.
#[derive(Debug, Serialize)]
pub struct SendRefund {
    pub key: String,
    pub charge: String,
    /// In minor units.
    pub amount: i64,
}

/// The body of `PUT /callback-url`.
#[derive(Debug, Serialize)]
pub struct SetCallbackUrl<'a> {
    pub url: &'a str,
}

/// The provider's states of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargeStatus {
    Pending,
    Captured,
    Declined,
    Voided,
}

/// A charge in a reply.
#[derive(Debug, Deserialize)]
pub struct ChargeView {
    pub state: ChargeStatus,
    /// In minor units.
    pub amount: i64,
    pub currency: String,
    pub provider_ref: String,
}

/// The reply to `POST /charges/{key}/cancel`.
#[derive(Debug, Deserialize)]
pub struct CancelView {
    pub state: ChargeStatus,
    /// None where the key was unknown to the provider.
    pub charge: Option<ChargeView>,
}

/// The provider's states of a refund.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    Done,
}

/// A refund in a reply.
#[derive(Debug, Deserialize)]
pub struct RefundView {
    pub state: RefundStatus,
    pub provider_ref: String,
}

/// The body of a callback.
#[derive(Debug, Deserialize)]
pub struct CallbackMessage {
    pub key: String,
    pub state: ChargeStatus,
    /// In minor units; a number beyond `i64` counts as the nearest limit.
    #[serde(deserialize_with = "saturated")]
    pub amount: i64,
    pub currency: String,
    pub provider_ref: String,
}

/// The reply to `GET /methods`.
#[derive(Debug, Deserialize)]
pub struct MethodsView {
    pub methods: Vec<MethodView>,
}

/// One method and the base URL for its charges.
#[derive(Debug, Deserialize)]
pub struct MethodView {
    pub name: String,
    pub url: String,
}

/// The body of a reply whose status is not 2xx.
#[derive(Debug, Deserialize)]
pub struct ProviderError {
    /// A stable code.
    pub code: String,
    /// One sentence for a person.
    pub detail: String,
}

/// Clamps a whole number to `i64`, so that an absurd amount is judged instead of making its charge unreadable for ever.
fn saturated<'de, D: Deserializer<'de>>(value: D) -> Result<i64, D::Error> {
    let number = serde_json::Number::deserialize(value)?;
    match (number.as_i64(), number.as_f64()) {
        (Some(amount), _) => Ok(amount),
        (None, Some(amount)) if amount.fract() == 0.0 && amount > 0.0 => Ok(i64::MAX),
        (None, Some(amount)) if amount.fract() == 0.0 => Ok(i64::MIN),
        _ => Err(Error::custom("an amount is a whole number of minor units")),
    }
}
