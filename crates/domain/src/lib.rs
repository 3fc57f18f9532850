//! The rules and values of ticket selling, and nothing else.
//!
//! Never: a clock, randomness, a runtime, I/O, hash-map iteration order. The moment (`now`), identifiers and random numbers are arguments,
//! so every rule can be replayed. One module per slice; the same word names the slice in every crate.
//! To add a rule: put it beside its slice, give it a table test, and let it return a value or a [`refusal::Refusal`].

pub mod accounts;
pub mod catalog;
pub mod checkout;
mod from_text;
pub mod ids;
pub mod ledger;
pub mod machine;
pub mod money;
pub mod named;
pub mod payments;
pub mod refusal;
pub mod scanning;
pub mod text;
pub mod ticketing;
pub mod time;
