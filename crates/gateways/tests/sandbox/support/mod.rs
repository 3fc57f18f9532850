//! A provider on a free port, a shop that takes its callbacks, a directory of one's own, and patience with an end.

pub mod provider;
pub mod shop;

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use tokio::time::{interval, timeout};
use voelgoed_domain::time::Timestamp;
use voelgoed_gateways::sandbox::CallbackSecret;
use voelgoed_gateways::sandbox::protocol::ChargeRequest;

/// How long a test waits for what must happen.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What shop and provider share here.
pub const SECRET: &str = "a secret between two tests";

pub fn secret() -> CallbackSecret {
    CallbackSecret::new(SECRET).unwrap()
}

/// The machine's clock, as the provider reads it.
pub fn now() -> Timestamp {
    Timestamp::default().plus(SystemTime::UNIX_EPOCH.elapsed().unwrap())
}

/// Asks until there is an answer.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        let mut tick = interval(Duration::from_millis(5));
        loop {
            tick.tick().await;
            if let Some(answer) = ask().await {
                return answer;
            }
        }
    };
    timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("waited in vain: {what}"))
}

/// A lawful charge; `pay_by` is close, so that `late` is not.
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

/// A directory that ends with the test.
#[derive(Debug)]
pub struct Directory(PathBuf);

impl Directory {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("voelgoed-sandbox-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// The data file of the provider; its own directory is made by the provider.
    pub fn data_file(&self) -> PathBuf {
        self.0.join("psp").join("charges.jsonl")
    }

    pub fn read(path: &Path) -> Vec<String> {
        std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// The error of something that must not succeed.
pub fn refused<T: Debug, E>(result: Result<T, E>) -> E {
    match result {
        Ok(answer) => panic!("must be refused, was {answer:?}"),
        Err(error) => error,
    }
}
