//! Secrets that are shown once and stored as their SHA-256.

pub use voelgoed_domain::accounts::secret::SecretKind;

use crate::environment::Environment;

/// A secret of 256 random bits.
#[must_use]
pub fn fresh_secret(environment: &dyn Environment, kind: SecretKind) -> String {
    kind.write(&environment.random())
}
