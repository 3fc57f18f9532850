//! Covers members, keys, logins, and the credentials that a node caches.

mod cached_credentials;
mod change_member;
mod create_accounts;
mod log_in;
