//! What a case of a suite is given: an adapter and the environment that it was opened with.
//!
//! Never: the machine's clock; a case moves time itself. To add a suite: a module of cases, and a macro that lists them for [`crate::cases`].

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::environment::Environment;
use voelgoed_domain::time::Timestamp;

/// An adapter under test.
pub struct Subject<S> {
    /// The adapter.
    pub store: Arc<S>,
    /// What it was opened with.
    pub environment: Arc<TestEnvironment>,
    /// What must live as long, such as a directory.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// A clock that only the test moves, ids that count upwards, bytes that look random and are the same in each run.
#[derive(Debug)]
pub struct TestEnvironment {
    now: AtomicI64,
    count: AtomicU64,
}

impl Default for TestEnvironment {
    /// On 2026-11-22 at noon.
    fn default() -> Self {
        Self { now: AtomicI64::new(1_795_348_800_000_000), count: AtomicU64::new(1) }
    }
}

impl TestEnvironment {
    /// Moves the clock; returns what it shows then.
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
        // The first bytes share their place with the version and the variant.
        tail[4..].copy_from_slice(&count[2..]);
        let millis = u64::try_from(self.now().millis()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
    }

    fn random(&self) -> [u8; 32] {
        let mut dice = Dice::new(self.count.fetch_add(1, Ordering::SeqCst));
        let mut bytes = [0; 32];
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&dice.next().to_le_bytes());
        }
        bytes
    }
}

/// Numbers that look random and are the same in each run of a seed.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// The sequence of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number below `end`, which is not zero.
    pub fn below(&mut self, end: usize) -> usize {
        // The remainder's bias is far below what a test could notice.
        usize::try_from(self.next() % end.max(1) as u64).unwrap_or_default()
    }

    /// SplitMix64.
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// Makes a test of each case of a module; `$open` is an expression that opens a [`Subject`] when awaited.
#[macro_export]
macro_rules! cases {
    ($module:ident, $open:expr; $($case:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::$module::$case($open.await).await;
        }
    )*};
}
