//! Signs callbacks with HMAC-SHA256 over `timestamp.body`, and verifies the shop's messages and calls with the same secret.
//!
//! Never: a comparison whose duration depends on the secret, a secret in a log line.

use std::fmt;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use voelgoed_domain::time::Timestamp;

/// Limits the age of a signed message, and how far its timestamp may lie in the future.
pub const SIGNATURE_AGE_MAX: Duration = Duration::from_secs(5 * 60);

/// The minimum length of a secret.
pub const SECRET_BYTES_MIN: usize = 16;

const SCHEME: &str = "v1=";

/// Takes the place of the timestamp in the digest that authorizes calls; no timestamp equals it.
const CALL_CONTEXT: &str = "calls";

/// The secret that the provider shares with the shop; `Debug` hides it.
#[derive(Clone)]
pub struct CallbackSecret(Vec<u8>);

/// The secret has fewer than [`SECRET_BYTES_MIN`] bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the callback secret needs at least {SECRET_BYTES_MIN} bytes")]
pub struct CallbackSecretTooShort;

/// Why a message of the shop is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageRejected {
    /// A header is missing, or the signature does not match.
    #[error("the signature does not match")]
    Forged,
    /// The signature matches, but the timestamp is further than [`SIGNATURE_AGE_MAX`] from now.
    #[error("the message is too old or from the future")]
    Stale,
}

impl CallbackSecret {
    /// A secret from these bytes.
    ///
    /// # Errors
    /// [`CallbackSecretTooShort`] below [`SECRET_BYTES_MIN`] bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, CallbackSecretTooShort> {
        let bytes = bytes.into();
        if bytes.len() < SECRET_BYTES_MIN {
            return Err(CallbackSecretTooShort);
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

    /// Verifies a message of the shop by its two headers. Checks the signature before the timestamp, so that only the holder of the
    /// secret gets [`MessageRejected::Stale`].
    ///
    /// # Errors
    /// [`MessageRejected`] says why.
    pub fn verify(&self, timestamp: &str, signature: &str, body: &[u8], now: Timestamp) -> Result<(), MessageRejected> {
        let expected = format!("{SCHEME}{}", self.digest(timestamp, body));
        if !bool::from(expected.as_bytes().ct_eq(signature.as_bytes())) {
            return Err(MessageRejected::Forged);
        }
        let seconds: i64 = timestamp.parse().map_err(|_| MessageRejected::Forged)?;
        let signed = Timestamp::from_micros(seconds.saturating_mul(1_000_000));
        if now.since(signed).max(signed.since(now)) > SIGNATURE_AGE_MAX {
            return Err(MessageRejected::Stale);
        }
        Ok(())
    }

    /// The `Authorization` of the shop's calls: derived from the secret, so that a reader of the header cannot sign callbacks.
    #[must_use]
    pub fn call_authorization(&self) -> String {
        format!("Bearer {}", self.digest(CALL_CONTEXT, b""))
    }

    /// Verifies the `Authorization` of a call.
    ///
    /// # Errors
    /// [`MessageRejected::Forged`].
    pub fn verify_call(&self, authorization: &str) -> Result<(), MessageRejected> {
        let expected = self.call_authorization();
        let is_equal = bool::from(expected.as_bytes().ct_eq(authorization.as_bytes()));
        if is_equal { Ok(()) } else { Err(MessageRejected::Forged) }
    }

    fn digest(&self, timestamp: &str, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        hex::encode(mac.finalize().into_bytes())
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
    fn published_test_vector_is_reproduced() {
        let (timestamp, signature) = secret("sandbox secret of the shop").sign(at(1_700_000_000), BODY);
        assert_eq!(timestamp, "1700000000");
        assert_eq!(signature, "v1=9e0cf0259b4c2ffdc0e172cacedb75ee27cc0669edfd01dbc7b4884f07ac70f8");
    }

    #[test]
    fn message_is_accepted_within_five_minutes_of_its_timestamp() {
        let secret = secret("a secret of 16 b");
        let (timestamp, signature) = secret.sign(at(10_000), BODY);
        let rows = [
            (at(10_000), Ok(())),
            (at(10_300), Ok(())),
            (Timestamp::from_micros(10_300 * SECOND + 1), Err(MessageRejected::Stale)),
            (at(9_700), Ok(())),
            (Timestamp::from_micros(9_700 * SECOND - 1), Err(MessageRejected::Stale)),
            (at(0), Err(MessageRejected::Stale)),
        ];
        for (now, expected) in rows {
            assert_eq!(secret.verify(&timestamp, &signature, BODY, now), expected, "{now}");
        }
    }

    #[test]
    fn altered_message_is_forged() {
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
                Err(MessageRejected::Forged),
                "{timestamp} {signature}"
            );
        }
    }

    #[test]
    fn signed_timestamp_that_is_not_a_number_is_forged() {
        let secret = secret("a secret of 16 b");
        let signature = format!("v1={}", secret.digest("soon", BODY));
        assert_eq!(secret.verify("soon", &signature, BODY, at(0)), Err(MessageRejected::Forged));
    }

    #[test]
    fn short_secret_is_refused_and_debug_hides_the_secret() {
        assert!(matches!(CallbackSecret::new("fifteen bytes.."), Err(CallbackSecretTooShort)));
        assert_eq!(format!("{:?}", secret("sixteen bytes...")), "CallbackSecret(…)");
    }
}
