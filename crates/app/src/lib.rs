//! Runs the commands and queries of every slice: each fetches through ports, lets `domain` decide, and commits through one port method.
//!
//! One module per slice, one file per operation; a slice's `ports.rs` lists what the slice needs of stores and of other slices.
//! Never: SQL, a key of a store, a status code, a socket.

pub mod accounts;
pub mod adapters;
pub mod analytics;
pub mod catalog;
pub mod checkout;
pub mod context;
pub mod environment;
pub mod error;
pub mod idempotency;
pub mod jobs;
pub mod ledger;
pub mod limits;
pub mod loops;
pub mod nodes;
pub mod outbox;
pub mod page;
pub mod payments;
pub mod replays;
pub mod retention;
pub mod scanning;
pub mod sealing;
pub mod slice;
pub mod slices;
pub mod tenant_bulkheads;
pub mod ticketing;
pub mod token;
