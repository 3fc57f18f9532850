//! The surface: the HTTP API, the pages, server-sent events, and the operator's endpoints.
//!
//! Never: a rule, SQL, a store's key, a decision about a sale; a handler parses, calls one command, and renders. Errors become problem+json in `problem`.

pub mod access;
pub mod api;
pub mod assembly;
pub mod bodies;
pub mod body_pool;
mod capable;
pub mod client_address;
pub mod conditional;
pub mod criticality;
pub mod extract;
mod framing;
mod host;
pub mod key_guesses;
pub mod last_known;
mod layers;
pub mod login_limits;
pub mod ops;
pub mod pages;
pub mod precompressed;
pub mod problem;
pub mod rates;
mod rendered;
pub mod scope_before_body;
pub mod serve;
pub mod single_headers;
pub mod state;
pub mod streams;
mod write_progress;
