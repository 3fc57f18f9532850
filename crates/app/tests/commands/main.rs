//! Runs commands across the tiers: warm in memory, cold on SQLite, a scripted payment provider, and a clock that the test moves.
//!
//! The stores are real, with faults injected in front of them; no test starts a server or reads the machine's clock. To add a case: a function in the file of
//! its operation, in the folder of its slice.

mod accounts;
mod analytics;
mod catalog;
mod checkout;
mod idempotency;
mod nodes;
mod outbox;
mod page;
mod payments;
mod refusals;
mod replays;
mod retention;
mod scanning;
mod slices;
mod support;
mod ticketing;
