//! The moment, identifiers and randomness, as an argument of everything that needs them.
//!
//! The only lawful implementation over the machine's clock is in the binary; tests inject their own.

use uuid::Uuid;
use voelgoed_domain::ids::{Id, Kind};
use voelgoed_domain::time::Timestamp;

/// Where time, identifiers and random bytes come from.
pub trait Environment: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;
    /// A fresh UUIDv7.
    fn uuid(&self) -> Uuid;
    /// 32 bytes that nobody can guess.
    fn random(&self) -> [u8; 32];
}

/// A fresh identifier of the kind that the caller expects.
pub fn fresh<K: Kind>(environment: &dyn Environment) -> Id<K> {
    Id::from_uuid(environment.uuid())
}
