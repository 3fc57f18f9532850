//! Provides a temporary directory, charge requests, and polling with a deadline.

pub mod callback_receiver;
pub mod in_process_provider;
pub mod plain_client;

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use tokio::time::{interval, timeout};
use voelgoed_domain::time::Timestamp;
use voelgoed_sandbox_psp::CallbackSecret;
use voelgoed_sandbox_psp::protocol::ChargeRequest;

/// Limits how long a test waits for a condition.
pub const WAIT_MAX: Duration = Duration::from_secs(20);

pub fn secret() -> CallbackSecret {
    CallbackSecret::new("a secret between two tests").unwrap()
}

/// The machine's time, as the provider reads it.
pub fn now() -> Timestamp {
    Timestamp::default().plus(SystemTime::UNIX_EPOCH.elapsed().unwrap())
}

/// Polls `probe` until it returns a value.
pub async fn until<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let polling = async {
        let mut tick = interval(Duration::from_millis(5));
        loop {
            tick.tick().await;
            if let Some(value) = probe().await {
                return value;
            }
        }
    };
    timeout(WAIT_MAX, polling).await.unwrap_or_else(|_| panic!("timed out waiting for: {what}"))
}

/// A valid charge whose `pay_by` is close, so that `late` captures soon.
pub fn charge(key: &str, method: &str) -> ChargeRequest {
    ChargeRequest {
        key: key.into(),
        amount: 450,
        currency: "ZAR".into(),
        method: method.into(),
        send_before: now().plus(Duration::from_secs(60)),
        pay_by: Some(now().plus(Duration::from_millis(50))),
    }
}

/// A temporary directory, removed when dropped.
#[derive(Debug)]
pub struct TempDirectory(PathBuf);

impl TempDirectory {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("voelgoed-sandbox-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// The provider's data file, in a directory that the provider creates.
    pub fn data_file(&self) -> PathBuf {
        self.0.join("psp").join("charges.jsonl")
    }
}

impl Drop for TempDirectory {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

pub fn lines_of(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

/// The error of a call that must fail.
pub fn refused<T: Debug, E>(result: Result<T, E>) -> E {
    match result {
        Ok(reply) => panic!("must be refused, was {reply:?}"),
        Err(error) => error,
    }
}
