//! Nodes: each node sends heartbeats under a lease and reads the list of live nodes.
//!
//! Never: a decision about a sale by membership; a node whose lease has ended may still run, so work that must happen once has a lease of its own.

pub mod members;
pub mod ports;
pub mod presence;
