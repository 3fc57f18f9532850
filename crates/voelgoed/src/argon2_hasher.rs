//! Hashes and verifies passwords by argon2id with the library's parameters, behind a bulkhead, so that logins cannot starve a sale.

use std::sync::Arc;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Argon2, PasswordHash};
use async_trait::async_trait;
use voelgoed_app::accounts::password_hasher::PasswordHasher;
use voelgoed_app::error::{CommandResult, Fault};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_resilience::{Bulkhead, BulkheadLimit};

/// The password hasher with its bulkhead.
pub struct Argon2Hasher {
    bulkhead: Bulkhead,
    /// Verified for unknown members, so that a response takes as long as for known ones.
    decoy: Arc<str>,
}

impl Argon2Hasher {
    /// A hasher with this limit; hashes the decoy once.
    pub fn new(limit: BulkheadLimit) -> anyhow::Result<Self> {
        let decoy = hash_password("nobody has this password").map_err(|error| anyhow::anyhow!("argon2: {error}"))?;
        Ok(Self { bulkhead: Bulkhead::new(limit), decoy: decoy.into() })
    }

    async fn run_in_bulkhead<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> CommandResult<T> {
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

fn hash_password(password: &str) -> Result<String, argon2::password_hash::Error> {
    Ok(Argon2::default().hash_password(password.as_bytes())?.to_string())
}

#[async_trait]
impl PasswordHasher for Argon2Hasher {
    async fn hash(&self, password: String) -> CommandResult<String> {
        let hash = self.run_in_bulkhead(move || hash_password(&password)).await?;
        Ok(hash.map_err(Fault::internal)?)
    }

    async fn verify(&self, password: String, hash: Option<String>) -> CommandResult<bool> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.to_string());
        self.run_in_bulkhead(move || {
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
    async fn password_verifies_against_its_own_hash_only_and_never_against_the_decoy() {
        let hasher = Argon2Hasher::new(BulkheadLimit { name: "test", running_max: 2, waiting_max: 64 }).unwrap();
        let hash = hasher.hash("correct horse battery".to_owned()).await.unwrap();
        assert!(hasher.verify("correct horse battery".to_owned(), Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify("correct horse".to_owned(), Some(hash)).await.unwrap());
        assert!(!hasher.verify("nobody has this password".to_owned(), None).await.unwrap());
    }
}
