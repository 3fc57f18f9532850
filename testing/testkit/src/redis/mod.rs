//! Runs real Redis servers on free ports, one alone or a cluster of three masters with a replica each, and kills, pauses, empties and fails them over.
//!
//! Never: a server that outlives the process that started it (also where that process is killed), a signal to anything else, a wait without a deadline.

mod cluster;
mod process;
mod wire;

pub use cluster::RedisCluster;
pub use process::RedisServer;
