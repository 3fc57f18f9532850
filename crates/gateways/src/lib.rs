//! Payment providers behind the port of `voelgoed_app::payments`, a folder each.
//!
//! Never: a guess. What a provider has not said is reported as not known (P2); every call has a deadline (P9).
//! To add a provider: a folder with a client that implements the port, its protocol's page, and tests against a real server.

pub mod sandbox;
