//! Runs a provider in the test's process, with scaled delays.

use std::path::Path;

use tokio::task::JoinSet;
use voelgoed_sandbox_psp::{Delays, SandboxConfig, SandboxError, SandboxProvider};

use super::plain_client::PlainClient;
use super::secret;

/// Fifty times as fast as the default: `slow` takes 60 ms, `late` 160 ms, the backoff of callbacks 10 to 600 ms.
const TIME_SCALE: f64 = 0.02;

/// A provider and a client of it.
#[derive(Debug)]
pub struct TestProvider {
    pub client: PlainClient,
    tasks: JoinSet<Result<(), SandboxError>>,
}

/// A configuration with scaled delays and any free port.
pub fn config(data_file: &Path) -> SandboxConfig {
    let mut config = SandboxConfig::new("127.0.0.1:0".parse().unwrap(), data_file, secret());
    config.delays = Delays::default().scaled(TIME_SCALE);
    config
}

impl TestProvider {
    pub async fn start(config: SandboxConfig) -> Self {
        let provider = SandboxProvider::open(config).await.unwrap();
        let client = PlainClient::new(&provider.endpoint().url);
        let mut tasks = JoinSet::new();
        tasks.spawn(provider.run());
        Self { client, tasks }
    }

    /// Starts one with [`config`].
    pub async fn with_defaults(data_file: &Path) -> Self {
        Self::start(config(data_file)).await
    }

    /// Stops it as a kill would.
    pub async fn kill(mut self) {
        assert!(self.tasks.try_join_next().is_none(), "the provider ended before it was killed");
        self.tasks.shutdown().await;
    }
}
