//! Covers what consumers of outbox events do on each node, and in warm.

mod node_consumers;
mod warm_effects;
