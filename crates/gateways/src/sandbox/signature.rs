//! Verifies callbacks by their HMAC-SHA256 over `timestamp.body`, and signs and authorizes the gateway's calls with the same secret.
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

/// The secret that the shop shares with the sandbox provider; `Debug` hides it.
#[derive(Clone)]
pub struct SandboxSecret(Vec<u8>);

/// The secret has fewer than [`SECRET_BYTES_MIN`] bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the callback secret needs at least {SECRET_BYTES_MIN} bytes")]
pub struct SandboxSecretTooShort;

/// Why a callback is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallbackInvalid {
    /// A header is missing, or the signature does not match.
    #[error("the signature does not match")]
    Forged,
    /// The signature matches, but the timestamp is further than [`SIGNATURE_AGE_MAX`] from now.
    #[error("the message is too old or from the future")]
    Stale,
}

impl SandboxSecret {
    /// A secret from these bytes.
    ///
    /// # Errors
    /// [`SandboxSecretTooShort`] below [`SECRET_BYTES_MIN`] bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, SandboxSecretTooShort> {
        let bytes = bytes.into();
        if bytes.len() < SECRET_BYTES_MIN {
            return Err(SandboxSecretTooShort);
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

    /// Verifies a callback by its two headers. Checks the signature before the timestamp, so that only the holder of the
    /// secret gets [`CallbackInvalid::Stale`].
    ///
    /// # Errors
    /// [`CallbackInvalid`] says why.
    pub fn verify(&self, timestamp: &str, signature: &str, body: &[u8], now: Timestamp) -> Result<(), CallbackInvalid> {
        let expected = format!("{SCHEME}{}", self.digest(timestamp, body));
        if !bool::from(expected.as_bytes().ct_eq(signature.as_bytes())) {
            return Err(CallbackInvalid::Forged);
        }
        let seconds: i64 = timestamp.parse().map_err(|_| CallbackInvalid::Forged)?;
        let signed = Timestamp::from_micros(seconds.saturating_mul(1_000_000));
        if now.since(signed).max(signed.since(now)) > SIGNATURE_AGE_MAX {
            return Err(CallbackInvalid::Stale);
        }
        Ok(())
    }

    /// The `Authorization` of every call: derived from the secret, so that a reader of the header cannot sign callbacks.
    #[must_use]
    pub fn call_authorization(&self) -> String {
        format!("Bearer {}", self.digest(CALL_CONTEXT, b""))
    }

    fn digest(&self, timestamp: &str, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        hex::encode(mac.finalize().into_bytes())
    }
}

impl fmt::Debug for SandboxSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SandboxSecret(…)")
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

    fn secret(text: &str) -> SandboxSecret {
        SandboxSecret::new(text).unwrap()
    }

    #[test]
    fn published_test_vector_is_reproduced() {
        let (timestamp, signature) = secret("sandbox secret of the shop").sign(at(1_700_000_000), BODY);
        assert_eq!(timestamp, "1700000000");
        assert_eq!(signature, "v1=9e0cf0259b4c2ffdc0e172cacedb75ee27cc0669edfd01dbc7b4884f07ac70f8");
    }

    #[test]
    fn callback_is_accepted_within_five_minutes_of_its_timestamp() {
        let secret = secret("a secret of 16 b");
        let (timestamp, signature) = secret.sign(at(10_000), BODY);
        let rows = [
            (at(10_000), Ok(())),
            (at(10_300), Ok(())),
            (Timestamp::from_micros(10_300 * SECOND + 1), Err(CallbackInvalid::Stale)),
            (at(9_700), Ok(())),
            (Timestamp::from_micros(9_700 * SECOND - 1), Err(CallbackInvalid::Stale)),
            (at(0), Err(CallbackInvalid::Stale)),
        ];
        for (now, expected) in rows {
            assert_eq!(secret.verify(&timestamp, &signature, BODY, now), expected, "{now}");
        }
    }

    #[test]
    fn altered_callback_is_forged() {
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
                Err(CallbackInvalid::Forged),
                "{timestamp} {signature}"
            );
        }
    }

    #[test]
    fn signed_timestamp_that_is_not_a_number_is_forged() {
        let secret = secret("a secret of 16 b");
        let signature = format!("v1={}", secret.digest("soon", BODY));
        assert_eq!(secret.verify("soon", &signature, BODY, at(0)), Err(CallbackInvalid::Forged));
    }

    #[test]
    fn short_secret_is_refused_and_debug_hides_the_secret() {
        assert!(matches!(SandboxSecret::new("fifteen bytes.."), Err(SandboxSecretTooShort)));
        assert_eq!(format!("{:?}", secret("sixteen bytes...")), "SandboxSecret(…)");
    }
}
