//! Implements the payment gateway port of `voelgoed_app::payments`, one folder per payment provider.
//!
//! Never: a guess: an outcome that the provider has not stated is reported as unknown (P2). Never: a call without a deadline (P9).
//! To add a provider: a folder with a client that implements the port, and tests against a real server.

pub mod sandbox;
