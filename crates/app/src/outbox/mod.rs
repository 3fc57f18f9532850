//! Facts on their way out of the cold tier: written in the same commit as the state they tell of, delivered at least once (P8).

pub mod cluster_bus;
pub mod consumer;
pub mod consumers;
pub mod event;
pub mod ports;
