//! Simple models that tests compare the shipped code with: slow, obvious, and written independently of what they check.
//!
//! Never: shares code with a rule that it checks, beyond the values that go in and out. To add a model: a module named after the checked part, with its
//! commands, replies, generator, and a property test that compares every reply.

pub mod inventory;
