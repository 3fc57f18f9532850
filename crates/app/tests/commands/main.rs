//! Runs commands across the tiers: warm in memory, cold on SQLite, a scripted payment provider, and a clock that the test moves.
//!
//! Never: a server, the machine's clock, a fake for a store that the platform runs for real; faults are injected in front of it.
//! To add a case: a function in the file of its operation, in the folder of its slice.

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
