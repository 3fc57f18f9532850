//! Outbox: events that are written in the same commit as the state that they describe, and delivered at least once (P8).

pub mod cluster_bus;
pub mod consumer;
pub mod event;
pub mod ports;
