//! The simple models that judge the real things: slow, obvious, and written apart from what they judge.
//!
//! Never: shares code with a rule that it judges, beyond the values that go in and out. To add one: a module named after what it judges, with its
//! commands, its answers, its generator, and a property test that compares every answer.

pub mod inventory;
