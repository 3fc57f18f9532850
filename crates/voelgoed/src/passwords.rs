//! Passwords by argon2id with the library's recommended parameters, a few at a time, so that logins cannot starve a sale.

use std::sync::Arc;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Argon2, PasswordHash};
use async_trait::async_trait;
use voelgoed_app::accounts::passwords::PasswordHasher;
use voelgoed_app::error::{Fault, Result};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_resilience::{Bulkhead, BulkheadLimit};

/// The hasher with its bulkhead.
pub struct Argon2Hasher {
    bulkhead: Bulkhead,
    /// Verified where a member is unknown, so that this takes as long.
    decoy: Arc<str>,
}

impl Argon2Hasher {
    /// A hasher of so many passwords at once; hashes once for its decoy.
    pub fn new(limit: BulkheadLimit) -> anyhow::Result<Self> {
        let decoy = hashed("nobody has this password").map_err(|error| anyhow::anyhow!("argon2: {error}"))?;
        Ok(Self { bulkhead: Bulkhead::new(limit), decoy: decoy.into() })
    }

    async fn slowly<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let permit = self
            .bulkhead
            .enter()
            .await
            .map_err(|_| Refusal::new(Code::Overloaded, "Too many log in right now. Try again in a moment."))?;
        let done = tokio::task::spawn_blocking(work).await.map_err(Fault::internal)?;
        drop(permit);
        Ok(done)
    }
}

fn hashed(password: &str) -> std::result::Result<String, argon2::password_hash::Error> {
    Ok(Argon2::default().hash_password(password.as_bytes())?.to_string())
}

#[async_trait]
impl PasswordHasher for Argon2Hasher {
    async fn hash(&self, password: String) -> Result<String> {
        let hash = self.slowly(move || hashed(&password)).await?;
        Ok(hash.map_err(Fault::internal)?)
    }

    async fn verify(&self, password: String, hash: Option<String>) -> Result<bool> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.to_string());
        self.slowly(move || {
            let fits = PasswordHash::new(&hash)
                .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
            fits && known
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_itself_only_and_nobody_has_the_decoy() {
        let hasher = Argon2Hasher::new(BulkheadLimit { name: "test", running: 2, waiting: 64 }).unwrap();
        let hash = hasher.hash("correct horse battery".to_owned()).await.unwrap();
        assert!(hasher.verify("correct horse battery".to_owned(), Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify("correct horse".to_owned(), Some(hash)).await.unwrap());
        assert!(!hasher.verify("nobody has this password".to_owned(), None).await.unwrap());
    }
}
