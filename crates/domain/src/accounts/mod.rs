//! Who may act for an organization: members, API keys and their scopes (P7).

pub mod administrators;
pub mod identity;
pub mod password;
mod password_forms;
pub mod role;
pub mod scope;
pub mod secret;
