//! Declares the password hasher, whose own bulkhead keeps slow hashes from starving a sale.

use async_trait::async_trait;

use crate::error::CommandResult;

/// Hashes and checks passwords.
#[async_trait]
pub trait PasswordHasher: Send + Sync + 'static {
    /// Hashes a password to a PHC string.
    ///
    /// # Errors
    /// `overloaded` if the queue is full.
    async fn hash(&self, password: String) -> CommandResult<String>;

    /// True if the password is right. Takes the same time for an unknown member (no `hash`).
    ///
    /// # Errors
    /// `overloaded` if the queue is full.
    async fn verify(&self, password: String, hash: Option<String>) -> CommandResult<bool>;
}
