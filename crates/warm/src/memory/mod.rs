//! Implements the warm tier's ports in this process's memory: volatile, rebuilt from cold at the next start.
//!
//! Never: a rule of its own; each call runs the inventory of `domain` under the lock of its event.

mod count_stream;
mod event_counts;
mod event_scans;
mod inventory;
mod offline_scan_journal;
mod presence;
mod session_holds;
mod store;

pub use store::MemoryInventory;
