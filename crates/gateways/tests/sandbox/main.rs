//! Tests the sandbox gateway against the provider's real server, and against servers that answer wrongly or not at all.
//!
//! Never: a fixed port or a fixed wait; each test has its own directory and polls until a deadline.

mod broken_replies;
mod callbacks;
mod gateway;
mod support;
mod values;
