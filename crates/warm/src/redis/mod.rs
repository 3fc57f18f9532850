//! Implements the warm tier's ports on Redis 7 (single server or Cluster): shared by all nodes, volatile, rebuilt from cold.
//!
//! Never: a rule of its own. Each call is one Redis function that mirrors one command of `domain::ticketing::inventory`, atomic in the slot of its event;
//! the contract suite and a property test compare every reply. To add a command: a file in `lua/`, a line in `function_library.rs`, a method in
//! `inventory.rs`.
//!
//! Open a store by [`RedisWarm::open`] with [`RedisSettings::from_url`]. Opening does no I/O, so a node starts while Redis is unavailable and behaves as
//! the capability table says. Servers need `maxmemory-policy noeviction` and, if they have replicas, `min-replicas-to-write 1`.

mod active_events;
mod activity;
mod allowances;
mod cluster_bus;
mod count_stream;
mod discovery;
mod error;
mod function_library;
mod inventory;
mod keys;
mod offline_scan_journal;
mod presence;
mod reply;
mod request;
mod router;
mod server;
mod session_holds;
mod settings;
mod signals;
mod store;
mod topology;

pub use settings::{ClockSource, MalformedUrl, RedisSettings};
pub use store::RedisWarm;
pub use topology::MasterState;
