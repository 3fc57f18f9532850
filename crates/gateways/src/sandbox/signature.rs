//! Signatures on messages between shop and provider: HMAC-SHA256 over `timestamp.body`, believed for five minutes either way.
//!
//! Never: a comparison whose duration depends on the secret, a secret in a log line.

use std::fmt;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use voelgoed_domain::time::Timestamp;
use voelgoed_planted::{Bug, planted};

/// How far the clocks of the two sides, and the journey, may be apart.
pub const WINDOW: Duration = Duration::from_secs(5 * 60);

/// The fewest bytes of a secret.
pub const SHORTEST_SECRET: usize = 16;

const SCHEME: &str = "v1=";

/// Stands where a callback has its timestamp, which is a number.
const CALLS: &str = "calls";

/// The secret that shop and provider share; never shown.
#[derive(Clone)]
pub struct CallbackSecret(Vec<u8>);

/// A secret of fewer than [`SHORTEST_SECRET`] bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the callback secret needs at least {SHORTEST_SECRET} bytes")]
pub struct SecretTooShort;

/// Why a message is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotBelieved {
    /// A header is missing, or the signature does not fit.
    #[error("the signature does not fit")]
    Forged,
    /// Signed by the right hand, outside the [`WINDOW`].
    #[error("the message is too old or from the future")]
    Stale,
}

impl CallbackSecret {
    /// A shared secret.
    ///
    /// # Errors
    /// [`SecretTooShort`] below [`SHORTEST_SECRET`] bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, SecretTooShort> {
        let bytes = bytes.into();
        if bytes.len() < SHORTEST_SECRET {
            return Err(SecretTooShort);
        }
        Ok(Self(bytes))
    }

    /// The values of the timestamp header and of the signature header.
    #[must_use]
    pub fn sign(&self, now: Timestamp, body: &[u8]) -> (String, String) {
        let timestamp = now.millis().div_euclid(1000).to_string();
        let signature = format!("{SCHEME}{}", self.digest(&timestamp, body));
        (timestamp, signature)
    }

    /// Believes or rejects a message by its two headers. The signature is checked before the window, so only the holder of the
    /// secret ever hears [`NotBelieved::Stale`].
    ///
    /// # Errors
    /// [`NotBelieved`] says why.
    pub fn verify(&self, timestamp: &str, signature: &str, body: &[u8], now: Timestamp) -> Result<(), NotBelieved> {
        let expected = format!("{SCHEME}{}", self.digest(timestamp, body));
        if !planted(Bug::UnsignedCallback) && !bool::from(expected.as_bytes().ct_eq(signature.as_bytes())) {
            return Err(NotBelieved::Forged);
        }
        let seconds: i64 = timestamp.parse().map_err(|_| NotBelieved::Forged)?;
        let signed = Timestamp::from_micros(seconds.saturating_mul(1_000_000));
        if now.since(signed).max(signed.since(now)) > WINDOW {
            return Err(NotBelieved::Stale);
        }
        Ok(())
    }

    /// What the shop sends as `Authorization` with every charge, cancellation and refund, and when it asks for one: derived from the secret, so that a
    /// caller who has seen it cannot sign callbacks.
    #[must_use]
    pub fn call_authorization(&self) -> String {
        format!("Bearer {}", self.digest(CALLS, b""))
    }

    /// Whether a call comes from the holder of the secret.
    ///
    /// # Errors
    /// [`NotBelieved::Forged`].
    pub fn verify_call(&self, authorization: &str) -> Result<(), NotBelieved> {
        let expected = self.call_authorization();
        if bool::from(expected.as_bytes().ct_eq(authorization.as_bytes())) { Ok(()) } else { Err(NotBelieved::Forged) }
    }

    fn digest(&self, timestamp: &str, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for CallbackSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallbackSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;
    const BODY: &[u8] = br#"{"id":"sbx_1-1"}"#;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * SECOND)
    }

    fn secret(text: &str) -> CallbackSecret {
        CallbackSecret::new(text).unwrap()
    }

    #[test]
    fn a_published_vector_stays_the_same() {
        let (timestamp, signature) = secret("sandbox secret of the shop").sign(at(1_700_000_000), BODY);
        assert_eq!(timestamp, "1700000000");
        assert_eq!(signature, "v1=9e0cf0259b4c2ffdc0e172cacedb75ee27cc0669edfd01dbc7b4884f07ac70f8");
    }

    #[test]
    fn the_window_is_five_minutes_either_way() {
        let secret = secret("a secret of 16 b");
        let (timestamp, signature) = secret.sign(at(10_000), BODY);
        let rows = [
            (at(10_000), Ok(())),
            (at(10_300), Ok(())),
            (Timestamp::from_micros(10_300 * SECOND + 1), Err(NotBelieved::Stale)),
            (at(9_700), Ok(())),
            (Timestamp::from_micros(9_700 * SECOND - 1), Err(NotBelieved::Stale)),
            (at(0), Err(NotBelieved::Stale)),
        ];
        for (now, expected) in rows {
            assert_eq!(secret.verify(&timestamp, &signature, BODY, now), expected, "{now}");
        }
    }

    #[test]
    fn anything_altered_is_forged() {
        let ours = secret("a secret of 16 b");
        let (timestamp, signature) = ours.sign(at(10_000), BODY);
        let (_, foreign) = secret("another secret 16").sign(at(10_000), BODY);
        let upper = signature.to_uppercase();
        let rows: [(&str, &str, &[u8]); 8] = [
            ("10001", &signature, BODY),
            ("010000", &signature, BODY),
            (&timestamp, &signature, b"{}"),
            (&timestamp, &foreign, BODY),
            (&timestamp, &signature[3..], BODY),
            (&timestamp, &signature[..signature.len() - 1], BODY),
            (&timestamp, &upper, BODY),
            ("", "", b""),
        ];
        for (timestamp, signature, body) in rows {
            assert_eq!(
                ours.verify(timestamp, signature, body, at(10_000)),
                Err(NotBelieved::Forged),
                "{timestamp} {signature}"
            );
        }
    }

    #[test]
    fn a_signed_timestamp_that_is_no_number_is_forged() {
        let secret = secret("a secret of 16 b");
        let signature = format!("v1={}", secret.digest("soon", BODY));
        assert_eq!(secret.verify("soon", &signature, BODY, at(0)), Err(NotBelieved::Forged));
    }

    #[test]
    fn short_secrets_are_refused_and_none_is_shown() {
        assert!(matches!(CallbackSecret::new("fifteen bytes.."), Err(SecretTooShort)));
        assert_eq!(format!("{:?}", secret("sixteen bytes...")), "CallbackSecret(…)");
    }
}
