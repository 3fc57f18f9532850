//! Organizations, their members and keys.

pub mod audit;
pub mod change_member;
pub mod create_api_key;
pub mod create_member;
pub mod create_organization;
pub mod credentials;
pub mod log_in;
pub mod passwords;
pub mod ports;
pub mod quotas;
pub mod secret;
