//! Creates API keys, device keys and login tokens with a MAC, by which any node recognises its own secrets without a store.
//!
//! A guess is recognised before a lookup and limited; issued secrets are not limited. Secrets are shown once and stored as their SHA-256.

use voelgoed_domain::accounts::secret_key::SECRET_BYTES;
pub use voelgoed_domain::accounts::secret_key::SecretKind;

use crate::environment::Environment;
use crate::token::MasterKey;

/// The random or derived bytes of a secret; the MAC follows them.
const RANDOM_BYTES: usize = 24;

/// A secret of 192 random bits with its MAC.
#[must_use]
pub fn new_secret(master: &MasterKey, environment: &dyn Environment, kind: SecretKind) -> String {
    secret_with_mac(master, kind, environment.random())
}

/// The secret of these bytes, whose last eight are replaced by the MAC.
#[must_use]
pub fn secret_with_mac(master: &MasterKey, kind: SecretKind, mut bytes: [u8; SECRET_BYTES]) -> String {
    let mac = mac(master, kind, &bytes);
    bytes[RANDOM_BYTES..].copy_from_slice(&mac);
    kind.encode(&bytes)
}

/// True if the platform issued this secret; it may be revoked or expired. False for secrets that were issued without a MAC by older versions.
#[must_use]
pub fn is_issued(master: &MasterKey, kind: SecretKind, text: &str) -> bool {
    kind.decode(text).is_some_and(|bytes| bytes[RANDOM_BYTES..] == mac(master, kind, &bytes))
}

fn mac(master: &MasterKey, kind: SecretKind, bytes: &[u8; SECRET_BYTES]) -> [u8; SECRET_BYTES - RANDOM_BYTES] {
    let derived = master.derive("mark of a secret", &[kind.as_str().as_bytes(), &bytes[..RANDOM_BYTES]]);
    let mut mac = [0; SECRET_BYTES - RANDOM_BYTES];
    mac.copy_from_slice(&derived[..SECRET_BYTES - RANDOM_BYTES]);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_is_recognised_only_by_its_own_platform_and_kind() {
        let (ours, theirs) = (MasterKey::new([7; 32]), MasterKey::new([8; 32]));
        let secret = secret_with_mac(&ours, SecretKind::Api, [5; 32]);
        assert!(is_issued(&ours, SecretKind::Api, &secret));
        assert!(!is_issued(&theirs, SecretKind::Api, &secret));
        assert!(!is_issued(&ours, SecretKind::Device, &secret));
        let as_device = secret.replacen("vgk_", "vgd_", 1);
        assert!(!is_issued(&ours, SecretKind::Device, &as_device));
        assert!(!is_issued(&ours, SecretKind::Api, &SecretKind::Api.encode(&[5; 32])), "a secret without a MAC");
        for at in 4..secret.len() {
            let mut guess = secret.clone();
            let other = if &secret[at..=at] == "0" { "1" } else { "0" };
            guess.replace_range(at..=at, other);
            assert!(!is_issued(&ours, SecretKind::Api, &guess), "{guess}");
        }
        assert_ne!(secret, secret_with_mac(&ours, SecretKind::Api, [6; 32]));
    }
}
