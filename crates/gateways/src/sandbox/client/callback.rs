//! Believing a callback: signature first, time window next, its words last.

use voelgoed_app::payments::ports::{Callback, CallbackRejected};
use voelgoed_domain::time::Timestamp;

use super::{key, observe};
use crate::sandbox::protocol::{CallbackBody, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::sandbox::signature::{CallbackSecret, NotBelieved};

/// The callback that `headers` and `body` are.
pub fn verify(
    secret: &CallbackSecret,
    headers: &[(String, String)],
    body: &[u8],
    now: Timestamp,
) -> Result<Callback, CallbackRejected> {
    let timestamp = only(headers, TIMESTAMP_HEADER).ok_or(CallbackRejected::Forged)?;
    let signature = only(headers, SIGNATURE_HEADER).ok_or(CallbackRejected::Forged)?;
    secret.verify(timestamp, signature, body, now).map_err(|reason| match reason {
        NotBelieved::Forged => CallbackRejected::Forged,
        NotBelieved::Stale => CallbackRejected::Stale,
    })?;
    let body: CallbackBody = serde_json::from_slice(body).map_err(|_| CallbackRejected::Malformed)?;
    let key = key::parse(&body.key).ok_or(CallbackRejected::NotOurs)?;
    Ok(Callback { key, observation: observe::settled(body.state, body.amount, &body.currency, body.provider_ref) })
}

/// The value of a header that is there exactly once.
fn only<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut values = headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let value = values.next()?;
    values.next().is_none().then_some(value.as_str())
}
