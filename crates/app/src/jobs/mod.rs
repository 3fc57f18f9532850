//! Durable background work: written in the caller's commit, run at least once by whoever holds its lease.

pub mod ports;
