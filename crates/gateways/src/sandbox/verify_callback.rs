//! Verifies a callback: its signature first, then its timestamp, then its body.

use voelgoed_app::payments::ports::{Callback, CallbackRejected};
use voelgoed_domain::time::Timestamp;

use super::messages::{CallbackMessage, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use super::signature::{CallbackInvalid, SandboxSecret};
use super::{charge_key, observe};

/// The callback in `headers` and `body`.
pub fn verify(
    secret: &SandboxSecret,
    headers: &[(String, String)],
    body: &[u8],
    now: Timestamp,
) -> Result<Callback, CallbackRejected> {
    let timestamp = single_value(headers, TIMESTAMP_HEADER).ok_or(CallbackRejected::Forged)?;
    let signature = single_value(headers, SIGNATURE_HEADER).ok_or(CallbackRejected::Forged)?;
    secret.verify(timestamp, signature, body, now).map_err(|reason| match reason {
        CallbackInvalid::Forged => CallbackRejected::Forged,
        CallbackInvalid::Stale => CallbackRejected::Stale,
    })?;
    let message: CallbackMessage = serde_json::from_slice(body).map_err(|_| CallbackRejected::Malformed)?;
    let key = charge_key::parse(&message.key).ok_or(CallbackRejected::NotOurs)?;
    let observation = observe::state(message.state, message.amount, &message.currency, message.provider_ref);
    Ok(Callback { key, observation })
}

/// The value of a header that is present exactly once.
fn single_value<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut values = headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let value = values.next()?;
    values.next().is_none().then_some(value.as_str())
}
