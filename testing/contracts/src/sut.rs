//! Defines the system under test of a contract case: an adapter with the environment that the case controls (clock, ids, randomness).
//!
//! Never: the machine's clock; a case moves time itself. To add a suite: a module of cases, and a macro that lists them for [`crate::cases`].

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use uuid::Uuid;
use voelgoed_app::environment::Environment;
use voelgoed_domain::time::Timestamp;

/// The system under test: an adapter with its environment.
pub struct Sut<S> {
    /// The adapter.
    pub store: Arc<S>,
    /// The clock, ids and randomness that the adapter was opened with.
    pub environment: Arc<TestEnvironment>,
    /// Values that must live as long as the adapter, such as its temporary directory; dropped after the adapter.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// A clock that only the test moves, ids that count upwards, random bytes that are the same in each run.
#[derive(Debug)]
pub struct TestEnvironment {
    now: AtomicI64,
    count: AtomicU64,
}

impl Default for TestEnvironment {
    /// Starts at 2026-11-22 12:00 UTC.
    fn default() -> Self {
        Self { now: AtomicI64::new(1_795_348_800_000_000), count: AtomicU64::new(1) }
    }
}

impl TestEnvironment {
    /// Moves the clock; returns the new time.
    pub fn advance(&self, span: Duration) -> Timestamp {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(self.now.fetch_add(micros, Ordering::SeqCst) + micros)
    }
}

impl Environment for TestEnvironment {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.now.load(Ordering::SeqCst))
    }

    fn uuid(&self) -> Uuid {
        let count = self.count.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        let mut tail = [0; 10];
        // The first bytes are overwritten by version and variant.
        tail[4..].copy_from_slice(&count[2..]);
        let millis = u64::try_from(self.now().millis()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
    }

    fn random(&self) -> [u8; 32] {
        StdRng::seed_from_u64(self.count.fetch_add(1, Ordering::SeqCst)).random()
    }
}

/// Makes a test of each case of a module; `$open` is an expression that opens a [`Sut`] when awaited.
#[macro_export]
macro_rules! cases {
    ($module:ident, $open:expr; $($case:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::$module::$case($open.await).await;
        }
    )*};
}
