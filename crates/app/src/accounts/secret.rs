//! Secrets that are shown once and stored as their SHA-256. Each carries a mark by which any node knows, without a store, that the platform made it.
//!
//! The mark is a MAC over the random bytes, so a guess is told from a key before anything is looked up: guesses are limited, keys never are.

use voelgoed_domain::accounts::secret::SECRET_BYTES;
pub use voelgoed_domain::accounts::secret::SecretKind;

use crate::environment::Environment;
use crate::token::MasterKey;

/// The bytes of a secret that are random, or derived from what is; the mark follows.
const RANDOM_BYTES: usize = 24;

/// A secret of 192 random bits with its mark.
#[must_use]
pub fn fresh_secret(master: &MasterKey, environment: &dyn Environment, kind: SecretKind) -> String {
    marked_secret(master, kind, environment.random())
}

/// The secret of these bytes, whose last eight give way to the mark.
#[must_use]
pub fn marked_secret(master: &MasterKey, kind: SecretKind, mut bytes: [u8; SECRET_BYTES]) -> String {
    let mark = mark(master, kind, &bytes);
    bytes[RANDOM_BYTES..].copy_from_slice(&mark);
    kind.write(&bytes)
}

/// Whether the platform made this secret; it may be revoked or over. Secrets of before the mark say no.
#[must_use]
pub fn is_issued(master: &MasterKey, kind: SecretKind, text: &str) -> bool {
    kind.read(text).is_some_and(|bytes| bytes[RANDOM_BYTES..] == mark(master, kind, &bytes))
}

fn mark(master: &MasterKey, kind: SecretKind, bytes: &[u8; SECRET_BYTES]) -> [u8; SECRET_BYTES - RANDOM_BYTES] {
    let derived = master.derive("mark of a secret", &[kind.as_str().as_bytes(), &bytes[..RANDOM_BYTES]]);
    let mut mark = [0; SECRET_BYTES - RANDOM_BYTES];
    mark.copy_from_slice(&derived[..SECRET_BYTES - RANDOM_BYTES]);
    mark
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_as_issued_by_its_own_platform_and_kind_only() {
        let (ours, theirs) = (MasterKey::new([7; 32]), MasterKey::new([8; 32]));
        let secret = marked_secret(&ours, SecretKind::Api, [5; 32]);
        assert!(is_issued(&ours, SecretKind::Api, &secret));
        assert!(!is_issued(&theirs, SecretKind::Api, &secret));
        assert!(!is_issued(&ours, SecretKind::Device, &secret));
        let as_device = secret.replacen("vgk_", "vgd_", 1);
        assert!(!is_issued(&ours, SecretKind::Device, &as_device));
        assert!(!is_issued(&ours, SecretKind::Api, &SecretKind::Api.write(&[5; 32])), "one of before the mark");
        for at in 4..secret.len() {
            let mut guess = secret.clone();
            let other = if &secret[at..=at] == "0" { "1" } else { "0" };
            guess.replace_range(at..=at, other);
            assert!(!is_issued(&ours, SecretKind::Api, &guess), "{guess}");
        }
        assert_ne!(secret, marked_secret(&ours, SecretKind::Api, [6; 32]));
    }
}
