//! The warm tier: a shared, volatile, rebuildable store that grants holds and filters sales and scans before the cold tier decides.
//!
//! Never: the final decision on a sale (cold makes it, P1), a rule that `domain` does not have. One folder per technology, one file per port.
//! To add an adapter: implement the port and run its suite of `testing/contracts`.

pub mod guarded;
pub mod memory;
pub mod redis;
