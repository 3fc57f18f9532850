//! What can be done with the platform: commands and queries, and the ports that they need of the outside.
//!
//! Never: SQL, a key of a store, a status code, a socket. A command fetches, lets `domain` decide, and commits through one port method.
//! One module per slice, one file per operation; each slice's `ports.rs` says what it needs of the outside.

pub mod accounts;
pub mod analytics;
pub mod catalog;
pub mod checkout;
pub mod environment;
pub mod error;
pub mod idempotency;
pub mod jobs;
pub mod ledger;
pub mod limits;
pub mod nodes;
pub mod outbox;
pub mod page;
pub mod payments;
pub mod platform;
pub mod retention;
pub mod scanning;
pub mod sealing;
pub mod tenant_bulkheads;
pub mod ticketing;
pub mod token;
