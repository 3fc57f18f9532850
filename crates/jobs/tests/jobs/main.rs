//! The runner and the relay on the real store, through crashes, lost leases, poison and absence.

mod away;
mod bench;
mod relay;
mod runner;
mod store_away;
