//! Facts on their way out of the cold tier: written in the same commit as the state they tell of, delivered at least once (P8).

pub mod bulletin;
pub mod fact;
pub mod ports;
pub mod reader;
pub mod readers;
