//! The warm tier on Redis 7, single or Cluster: shared by all nodes, gone with its servers, rebuilt from cold.
//!
//! Never: a rule of its own. Each call is one function that mirrors one command of `domain::ticketing::inventory`, atomic in the slot of its event; the contract
//! suite and the property test compare every answer. To add a command: a file in `lua/`, a line in `scripts.rs`, a method in `inventory.rs`.
//!
//! Who uses it: [`RedisWarm::open`] with [`RedisSettings::from_url`]; opening does no I/O, so a node starts while Redis is away and answers as the
//! capability table says. Servers should run with `maxmemory-policy noeviction` and, where there are replicas, `min-replicas-to-write 1`.

mod active;
mod allowances;
mod bulletin;
mod counts;
mod error;
mod inventory;
mod kept_scans;
mod keys;
mod look;
mod noted;
mod planted;
mod presence;
mod reply;
mod request;
mod router;
mod scripts;
mod server;
mod settings;
mod signals;

pub use inventory::RedisWarm;
pub use look::MasterState;
pub use settings::{Clock, MalformedUrl, RedisSettings};
