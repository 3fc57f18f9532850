//! What the tests of this crate share: a clock that only they move.

use std::sync::atomic::{AtomicI64, Ordering};

use uuid::Uuid;
use voelgoed_app::environment::Environment;
use voelgoed_domain::time::Timestamp;

/// A clock at 1970 plus what it was advanced by.
#[derive(Debug, Default)]
pub(crate) struct Clock(AtomicI64);

impl Clock {
    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }
}

impl Environment for Clock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }

    fn uuid(&self) -> Uuid {
        Uuid::nil()
    }

    fn random(&self) -> [u8; 32] {
        [0; 32]
    }
}
