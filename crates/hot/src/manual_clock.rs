//! Test clock that stands still until a test advances it.

use std::sync::atomic::{AtomicI64, Ordering};

use uuid::Uuid;
use voelgoed_app::environment::Environment;
use voelgoed_domain::time::Timestamp;

/// A clock that starts at 1970.
#[derive(Debug, Default)]
pub(crate) struct ManualClock(AtomicI64);

impl ManualClock {
    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }
}

impl Environment for ManualClock {
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
