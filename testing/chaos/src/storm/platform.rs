//! Runs the platform that the storm breaks: two nodes on one Redis with a replica, one Postgres and one payment provider, each a process of its own.
//!
//! Each node reaches Redis and Postgres through proxies of its own, so that it alone can be partitioned from them. `inject.rs` breaks them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::Context;
use voelgoed_testkit::http_client::ApiClient;
use voelgoed_testkit::limits::unlimited_with;
use voelgoed_testkit::organizer::TestOrganizer;
use voelgoed_testkit::postgres::{Postgres, ROLE};
use voelgoed_testkit::process::Process;
use voelgoed_testkit::proxy::Proxy;
use voelgoed_testkit::redis::RedisServer;
use voelgoed_testkit::sandbox_provider::{SandboxProviderOptions, sandbox_provider};
use voelgoed_testkit::server::{ServerCommand, ServerOptions, TestServer, empty_directory};

use super::schedule::NODES;
use crate::clients::organization_of;

/// For all nodes to be ready after the last injection.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(120);
/// Between two restarts of ended processes while waiting for a node.
const SUPERVISION_INTERVAL: Duration = Duration::from_millis(500);
/// Protects nothing.
const MASTER_KEY: &str = "610a939be7a7c3524fb8527f4c1ff5c2bf5af2758515373ebcbed1d30cbb565b";
const DATABASE: &str = "storm";
pub struct StormPlatform {
    /// Holds all files; the provider's charges are below it.
    pub data: PathBuf,
    /// How often the warm tier has lost data so far.
    pub warm_losses: Arc<AtomicU64>,
    /// How often a node ended by itself.
    pub node_ends: u32,
    pub(super) nodes: Vec<TestServer>,
    pub(super) proxies: Vec<StoreProxies>,
    pub(super) provider: Process,
    pub(super) redis: [RedisServer; 2],
    /// The index of the Redis master.
    pub(super) master: usize,
    pub(super) postgres: Postgres,
    /// False where no disk can be mounted here.
    pub(super) has_small_disk: bool,
    /// A Redis snapshot that was kept earlier.
    pub(super) old_snapshot: PathBuf,
}

/// The proxies of one node.
pub(super) struct StoreProxies {
    pub(super) redis: Proxy,
    pub(super) postgres: Proxy,
}

impl StormPlatform {
    /// Starts all processes with a migrated schema.
    pub async fn start(binary: &Path, root: &Path) -> anyhow::Result<Self> {
        let data = empty_directory(root, "storm")?;
        std::fs::create_dir_all(&data)?;
        let data = data.canonicalize()?;
        let binary = binary.canonicalize().with_context(|| binary.display().to_string())?;
        // A replica synchronizes at once, and keeps no snapshot of the master over a restart.
        let replication = ["--repl-diskless-sync-delay", "0", "--rdb-del-sync-files", "yes"].map(str::to_owned);
        let redis =
            [RedisServer::start_with(&data, &replication).await?, RedisServer::start_with(&data, &replication).await?];
        redis[1].follow(&redis[0]).await?;
        let (postgres, has_small_disk) = match Postgres::start_on_small_disk().await {
            Ok(postgres) => (postgres, true),
            Err(error) => {
                println!("no disk can be filled: {error:#}");
                (Postgres::start().await?, false)
            }
        };
        postgres.create_database(DATABASE, "template0")?;
        let (mut nodes, mut proxies) = (Vec::new(), Vec::new());
        for number in 0..NODES {
            let name = format!("node-{number}");
            let store_proxies = StoreProxies {
                redis: Proxy::start(&redis[0].address()).await?,
                postgres: Proxy::start(&postgres.address()).await?,
            };
            let options = ServerOptions::new(&binary, ServerCommand::Serve("all"), &data.join(&name))
                .with_environment(environment(&store_proxies));
            nodes.push(TestServer::new(ServerOptions { name, ..options })?);
            proxies.push(store_proxies);
        }
        let mut provider = sandbox_provider(SandboxProviderOptions {
            binary: &binary,
            data: &data,
            shop_url: &nodes[0].url(),
            master_key: MASTER_KEY,
            time_scale: 1.0,
        })?;
        provider.start()?;
        for node in &mut nodes {
            node.set_environment("VOELGOED__SANDBOX__URL", &format!("http://{}", provider.address));
        }
        println!("{}", nodes[0].run(&["migrate"]).await?.trim_end().lines().last().unwrap_or_default());
        let old_snapshot = data.join("old.rdb");
        let warm_losses = Arc::default();
        let (node_ends, master) = (0, 0);
        let mut platform = Self {
            data,
            warm_losses,
            node_ends,
            nodes,
            proxies,
            provider,
            redis,
            master,
            postgres,
            has_small_disk,
            old_snapshot,
        };
        for node in &mut platform.nodes {
            node.launch().await?;
        }
        platform.recover().await?;
        Ok(platform)
    }

    /// The clients of the nodes.
    pub fn clients(&self) -> anyhow::Result<Vec<ApiClient>> {
        self.nodes.iter().map(|node| ApiClient::new(&node.url())).collect()
    }

    /// Makes an organization with its first key.
    pub async fn organization(&self, slug: &str) -> anyhow::Result<TestOrganizer> {
        organization_of(&self.nodes[0], &ApiClient::new(&self.nodes[0].url())?, slug).await
    }

    /// Starts ended processes again, as a supervisor does: a node without Postgres ends and is started again.
    pub(super) async fn restart_ended(&mut self) -> anyhow::Result<()> {
        if self.postgres.restart_if_ended().await? {
            println!("Postgres had ended by itself");
        }
        for node in &mut self.nodes {
            self.node_ends += u32::from(node.restart_if_ended()?);
        }
        self.provider.restart_if_ended().map(drop)
    }

    /// Waits until every node is ready, and starts ended processes again until then.
    pub async fn recover(&mut self) -> anyhow::Result<()> {
        for number in 0..self.nodes.len() {
            let deadline = tokio::time::Instant::now() + RECOVERY_TIMEOUT;
            while tokio::time::Instant::now() < deadline && !self.nodes[number].is_ready().await {
                self.restart_ended().await?;
                tokio::time::sleep(SUPERVISION_INTERVAL).await;
            }
            self.nodes[number].operator().call(reqwest::Method::GET, "/readyz", Default::default()).await?.must(200)?;
        }
        Ok(())
    }
}

fn environment(proxies: &StoreProxies) -> Vec<(String, String)> {
    unlimited_with(&[
        ("VOELGOED__WARM__URL", &format!("redis://{}", proxies.redis.address())),
        ("VOELGOED__COLD__URL", &format!("postgres://{ROLE}@{}/{DATABASE}", proxies.postgres.address())),
        ("VOELGOED__SECRETS__MASTER", MASTER_KEY),
        ("VOELGOED__SALE__HOLD", "10s"),
        ("VOELGOED__SALE__EXTENSION", "10s"),
        ("VOELGOED__SALE__POLL_EVERY", "1s"),
        ("VOELGOED__LOG__FILTER", "warn"),
    ])
}
