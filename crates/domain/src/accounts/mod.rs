//! Decides who may act for an organization: members, roles, scopes, keys, passwords and their texts (P7).

pub mod email;
pub mod last_administrator;
pub mod names;
pub mod pairing_code;
pub mod password_strength;
mod password_variants;
pub mod role;
pub mod scope;
pub mod scope_checks;
pub mod secret_key;
#[cfg(test)]
mod text_checks;
