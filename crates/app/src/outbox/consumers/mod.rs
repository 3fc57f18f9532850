//! The consumers of outbox events that every node runs; the binary lists them.

mod cache_invalidation;
mod gate_notifications;
mod order_notifications;
mod warm_effects;

pub use cache_invalidation::CacheInvalidation;
pub use gate_notifications::GateNotifications;
pub use order_notifications::OrderNotifications;
pub use warm_effects::WarmEffects;
