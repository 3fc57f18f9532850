//! Decides the rules of ticket selling as pure functions over values, so that every decision can be replayed from its arguments.
//!
//! Never: a clock, randomness, a runtime, I/O, hash-map iteration order; the moment (`now`), identifiers and random numbers are arguments.
//! To add a rule: put it into the module of its slice (the same word names the slice in every crate), give it a table test, and return a value or a
//! [`refusal::Refusal`].

pub mod accounts;
pub mod catalog;
pub mod checkout;
mod deserialize_text;
pub mod ids;
pub mod ledger;
pub mod money;
pub mod payments;
pub mod refusal;
pub mod scanning;
pub mod state_machine;
pub mod text;
pub mod text_enum;
pub mod ticketing;
pub mod time;
pub mod time_zone;
