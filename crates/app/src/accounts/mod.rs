//! Accounts: organizations, members, API keys, logins and the audit log.

pub mod audit;
pub mod cached_credential_revocation;
pub mod change_member;
mod change_own_password;
pub mod create_api_key;
pub mod create_member;
pub mod create_organization;
pub mod credentials;
pub mod granter;
pub mod log_in;
mod member_logins;
pub mod password_hasher;
pub mod ports;
mod ports_of_other_slices;
pub mod quotas;
mod reset_password;
pub mod secret;
mod set_password;
pub mod slice;

use std::sync::Arc;

use credentials::Credentials;
use password_hasher::PasswordHasher;
use ports::AccountStore;

use crate::context::Context;

/// Creates and changes organizations, members and keys, and logs members in.
#[derive(Clone)]
pub struct Accounts {
    /// The context that all slices share.
    pub context: Context,
    /// Organizations, members, keys and logins in the cold tier.
    pub store: Arc<dyn AccountStore>,
    /// Credentials, cached on this node.
    pub credentials: Arc<dyn Credentials>,
    /// Hashes passwords.
    pub passwords: Arc<dyn PasswordHasher>,
}
