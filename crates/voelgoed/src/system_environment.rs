//! Implements the application's clock, identifiers and randomness by the operating system; no other file may use them.

use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Uuid;
use voelgoed_app::environment::Environment;
use voelgoed_domain::time::Timestamp;

/// The operating system's clock and randomness.
#[derive(Debug, Clone, Copy)]
pub struct SystemEnvironment;

impl Environment for SystemEnvironment {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that mints identifiers")]
    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that draws randomness")]
    fn random(&self) -> [u8; 32] {
        rand::random()
    }
}
