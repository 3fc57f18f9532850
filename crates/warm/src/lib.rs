//! The warm tier: shared, volatile, rebuildable; it grants holds and filters sales and scans.
//!
//! Never: the last word on a sale (cold has it, P1), a rule that `domain` does not have. One folder per technology, one file per port within it.
//! To add an adapter: implement the port and run its suite of `testing/contracts`.

pub mod guarded;
pub mod memory;
pub mod redis;
