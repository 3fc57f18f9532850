//! The warm tier of a single process: gone at its end, rebuilt from cold at the next start.
//!
//! Never: an own rule; each call runs the machine of `domain` under the lock of its event.

mod counts;
mod inventory;
mod kept;
mod noted;
mod presence;

pub use inventory::MemoryInventory;
