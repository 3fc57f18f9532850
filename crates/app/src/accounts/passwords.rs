//! Passwords: hashed slowly, behind a bulkhead of their own so that logins cannot starve a sale.

use async_trait::async_trait;

use crate::error::Result;

/// Hashes and checks passwords.
#[async_trait]
pub trait PasswordHasher: Send + Sync + 'static {
    /// The PHC string of a password.
    ///
    /// # Errors
    /// `overloaded` where too many wait.
    async fn hash(&self, password: String) -> Result<String>;

    /// True where the password fits; as slow for an unknown member (`hash` absent) as for a known one.
    ///
    /// # Errors
    /// `overloaded` where too many wait.
    async fn verify(&self, password: String, hash: Option<String>) -> Result<bool>;
}
