//! Serves the sandbox payment provider over HTTP: a separate company with its own clock, port and data file, which misbehaves on request.
//!
//! Never: a rule or a store of the shop, or an HTTP answer before its line is flushed: `kill -9` at any moment loses nothing that was answered.
//! To add a call: its row in README.md, its JSON in `protocol`, its decision in `state`, its handler in `http`.

mod capture_scheduler;
mod clock;
mod config;
mod data_file;
mod durable_state;
mod http;
mod journal;
mod lock_file;
mod payment_methods;
pub mod protocol;
mod provider;
mod record;
mod request_error;
mod serve;
pub mod signature;
mod state;
mod tcp_ports;
mod webhook_sender;

pub use config::{Delays, RECORDS_MAX, SandboxConfig};
pub use data_file::DataFileError;
pub use lock_file::find_running_provider;
pub use protocol::ProviderEndpoint;
pub use provider::{SandboxError, SandboxProvider};
pub use serve::serve;
pub use signature::CallbackSecret;
