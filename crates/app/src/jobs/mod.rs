//! Jobs: durable background work that is written in the caller's commit and run at least once by the runner that leases it.

pub mod handler;
pub mod ports;
pub mod schedule;
