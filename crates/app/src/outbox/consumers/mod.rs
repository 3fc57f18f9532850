//! The readers of facts that every node runs; the binary lists them.

mod caches;
mod gates;
mod order_watchers;
mod warm;

pub use caches::Caches;
pub use gates::Gates;
pub use order_watchers::OrderWatchers;
pub use warm::Warm;
