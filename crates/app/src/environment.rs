//! Passes the current time, new identifiers and random bytes as an argument, so that tests control all three.
//!
//! Never: a read of the machine's clock or randomness elsewhere; only the binary implements the trait over them.

use uuid::Uuid;
use voelgoed_domain::ids::{Id, IdKind};
use voelgoed_domain::time::Timestamp;

/// The source of time, identifiers and random bytes.
pub trait Environment: Send + Sync + 'static {
    /// The current time.
    fn now(&self) -> Timestamp;
    /// A new UUIDv7.
    fn uuid(&self) -> Uuid;
    /// 32 bytes of a cryptographically secure generator.
    fn random(&self) -> [u8; 32];
}

/// A new identifier of the kind that the caller expects.
pub fn new_id<K: IdKind>(environment: &dyn Environment) -> Id<K> {
    Id::from_uuid(environment.uuid())
}
