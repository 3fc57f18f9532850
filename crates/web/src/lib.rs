//! Serves the HTTP API, the pages, server-sent events and the operator's endpoints: parses a request, calls one operation of a slice, and renders its result.
//!
//! Never: a rule, SQL, a store's key, a decision about a sale. Errors become problem+json in `problem`.
//!
//! | what happens | where |
//! |---|---|
//! | accept a connection, check its framing, end stalled writes | `serve`, `framing`, `write_timeout` |
//! | check headers, capability, body, load and deadline of every request | `request_pipeline` |
//! | find the row of a route, authenticate its caller | `routes`, `authorize` |
//! | parse what a handler takes | `extract` |
//! | handle | `api`, `pages`, `health_and_metrics` |

pub mod api;
pub mod auth_rate_limit;
mod authorize;
pub mod body_pool;
pub mod body_reader;
mod body_size_limit;
mod capability_gate;
pub mod client_address;
mod compression;
mod cookies;
mod criticality;
mod etag;
pub mod extract;
mod framing;
mod gzip;
mod health_and_metrics;
mod host_header;
mod json_bytes;
mod json_response;
pub mod login_limits;
pub mod pages;
mod precompressed;
pub mod problem;
pub mod promo_code_limits;
mod rate_limit_refusal;
mod rate_limits;
pub mod render_cache;
mod request_pipeline;
pub mod router;
pub mod routes;
mod scope_before_body;
pub mod serve;
pub mod settings;
mod single_headers;
pub mod stale_fallback;
pub mod state;
pub mod stream_permits;
mod write_timeout;
