//! Starts a whole platform on this machine: Redis, Postgres, the sandbox provider, nodes and HAProxy, each a real process on a free port of loopback.
//!
//! Never: a process that outlives its value, or the end of one that was not started here. The ids of all processes are in `pids.json`, so that a
//! later start at the same place ends what a killed one left behind.

mod postgres;
mod redis;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use futures::future::join_all;
use serde_json::{Value, json};

pub use postgres::PostgresPair;
pub use redis::RedisTier;

use crate::free_port::free_port;
use crate::haproxy;
use crate::process::{PIDS_FILE, Process, kill_leftovers};
use crate::sandbox_provider::{SandboxProviderOptions, sandbox_provider};
use crate::server::{ServerCommand, ServerOptions, TestServer, run_command};

/// The processes of a cluster.
#[derive(Debug, Clone)]
pub struct ClusterPlan {
    /// The `voelgoed` binary.
    pub binary: PathBuf,
    /// Holds the files of all processes.
    pub root: PathBuf,
    /// The role of each node: `all`, `web` or `worker`.
    pub roles: Vec<&'static str>,
    /// Three Redis masters with a replica each, instead of one server.
    pub redis_cluster: bool,
    /// A streaming replica of Postgres.
    pub replica: bool,
    /// HAProxy with this configuration, in front of the nodes that serve people.
    pub haproxy: Option<PathBuf>,
    /// Settings of all nodes beside the addresses of their stores, e.g. `VOELGOED__SALE__HOLD`.
    pub environment: Vec<(String, String)>,
    /// Multiplies the sandbox provider's delays.
    pub time_scale: f64,
}

/// A running platform.
#[derive(Debug)]
pub struct TestCluster {
    /// Serves buyers: HAProxy, or the first node.
    pub url: String,
    /// The card of the seeded demo.
    pub card: Value,
    /// The nodes, in the order of the plan's roles.
    pub nodes: Vec<TestServer>,
    /// HAProxy.
    pub haproxy: Option<Process>,
    /// The sandbox provider.
    pub provider: Process,
    /// The warm tier.
    pub redis: RedisTier,
    /// The cold tier.
    pub postgres: PostgresPair,
    root: PathBuf,
}

/// Ends what an earlier run below `root` left behind, and deletes its files.
///
/// # Errors
/// The directory cannot be read or deleted.
pub fn clear_root(root: &Path) -> anyhow::Result<()> {
    if root.exists() {
        kill_leftovers(&root.canonicalize()?)?;
        std::fs::remove_dir_all(root)?;
    }
    Ok(())
}

impl TestCluster {
    /// Starts all processes, migrates, seeds the demo where there is none, and waits until all nodes are ready.
    ///
    /// # Errors
    /// Names the process that does not come up.
    pub async fn start(plan: ClusterPlan) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&plan.root)?;
        let root = plan.root.canonicalize()?;
        kill_leftovers(&root)?;
        let (warm, cold) = (root.join("redis"), root.join("postgres"));
        let (redis, postgres) =
            tokio::try_join!(RedisTier::start(&warm, plan.redis_cluster), PostgresPair::start(&cold, plan.replica))?;
        let options = plan.roles.iter().enumerate().map(|(number, role)| {
            let name = format!("node-{}", number + 1);
            let options = ServerOptions::new(&plan.binary, ServerCommand::Serve(role), &root.join(&name));
            ServerOptions { name, ..options }
        });
        let mut nodes = options.map(TestServer::new).collect::<anyhow::Result<Vec<_>>>()?;
        let front = free_port()?;
        let url = match (&plan.haproxy, nodes.first()) {
            (Some(_), _) => format!("http://127.0.0.1:{front}"),
            (None, Some(first)) => first.url(),
            (None, None) => anyhow::bail!("a platform without a node"),
        };
        let master_key = master_key(&root)?;
        let mut provider = sandbox_provider(SandboxProviderOptions {
            binary: &plan.binary,
            data: &root,
            shop_url: &url,
            master_key: &master_key,
            time_scale: plan.time_scale,
        })?;
        provider.start()?;
        provider.accepts_connections().await?;
        let environment = environment(&plan, &redis, &postgres, &provider, &url, &master_key);
        for node in &mut nodes {
            environment.iter().for_each(|(name, value)| node.set_environment(name, value));
        }
        let mut cluster = Self { url, card: Value::Null, nodes, haproxy: None, provider, redis, postgres, root };
        // Before anything else may fail: a later start must know what runs already.
        cluster.write_pids()?;
        let demo = cluster.root.join("demo");
        run_command(&plan.binary, &["migrate"], &demo, &environment).await?;
        let card = run_command(&plan.binary, &["demo", "--seed-only", "--json"], &demo, &environment).await?;
        cluster.card = serde_json::from_str(card.trim()).with_context(|| format!("the demo's card: {card}"))?;
        for number in 0..cluster.nodes.len() {
            cluster.nodes[number].launch().await?;
            cluster.write_pids()?;
        }
        for node in &cluster.nodes {
            node.ready().await?;
        }
        if let Some(config) = &plan.haproxy {
            cluster.haproxy = Some(haproxy::start(config, &cluster.root, front, &cluster.backends()).await?);
            cluster.write_pids()?;
        }
        Ok(cluster)
    }

    /// The nodes that serve people, in their order.
    pub fn serving(&self) -> impl Iterator<Item = &TestServer> {
        self.nodes.iter().filter(|node| node.serves_people())
    }

    /// Of each node that serves people, its public address and that of its health checks.
    fn backends(&self) -> Vec<(String, String)> {
        self.serving().map(|node| (node.address.clone(), node.readiness_address().to_owned())).collect()
    }

    /// Makes HAProxy read again where its nodes are checked; open connections end with their request.
    ///
    /// # Errors
    /// There is no HAProxy, or the new process does not come up.
    pub async fn reload_haproxy(&mut self, config: &Path) -> anyhow::Result<()> {
        let before = self.haproxy.take().context("a platform without HAProxy")?;
        self.haproxy = Some(haproxy::reload(config, &self.root, before, &self.backends()).await?);
        self.write_pids()
    }

    /// The demo's card with `nodes` and `services`.
    #[must_use]
    pub fn card_with_processes(&self) -> Value {
        let mut card = self.card.clone();
        let first = self.serving().next().or(self.nodes.first());
        card["internal_url"] = json!(first.map(TestServer::internal_url));
        card["nodes"] = self
            .nodes
            .iter()
            .map(|node| {
                json!({"name": node.name(), "role": node.role(), "address": node.address,
                    "internal_url": node.internal_url(), "pid": node.pid()})
            })
            .collect();
        card["services"] = self
            .services()
            .map(|service| json!({"name": service.name, "address": service.address, "pid": service.pid()}))
            .collect();
        card
    }

    fn services(&self) -> impl Iterator<Item = &Process> {
        self.haproxy.iter().chain([&self.provider]).chain(&self.redis.servers).chain(self.postgres.servers())
    }

    /// Writes the ids of all processes to `pids.json`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_pids(&self) -> anyhow::Result<()> {
        let pids = self.services().filter_map(Process::pid).chain(self.nodes.iter().filter_map(TestServer::pid));
        Ok(std::fs::write(self.root.join(PIDS_FILE), json!(pids.collect::<Vec<_>>()).to_string())?)
    }

    /// Stops all processes in order: nodes drain first, then the services that they need.
    ///
    /// # Errors
    /// A node ends with an error; the others are ended all the same.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let stopping = self.nodes.iter_mut().filter(|node| node.pid().is_some()).map(TestServer::stop);
        let ends = join_all(stopping).await;
        if let Some(haproxy) = &mut self.haproxy {
            haproxy.stop("-TERM").await?;
        }
        self.provider.stop("-TERM").await?;
        for server in &mut self.redis.servers {
            server.stop("-TERM").await?;
        }
        self.postgres.stop().await?;
        ends.into_iter().collect()
    }
}

/// The master key of the platform at `root`: random, made once, and read again by a later start at the same place.
fn master_key(root: &Path) -> anyhow::Result<String> {
    let path = root.join("master.key");
    if let Ok(text) = std::fs::read_to_string(&path) {
        return Ok(text);
    }
    let mut bytes = [0_u8; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(&path, &text)?;
    Ok(text)
}

fn environment(
    plan: &ClusterPlan,
    redis: &RedisTier,
    postgres: &PostgresPair,
    provider: &Process,
    url: &str,
    master_key: &str,
) -> Vec<(String, String)> {
    let mut environment: Vec<(String, String)> = [
        ("VOELGOED__WARM__URL", redis.url()),
        ("VOELGOED__COLD__URL", postgres.url()),
        ("VOELGOED__SECRETS__MASTER", master_key.to_owned()),
        ("VOELGOED__SANDBOX__URL", format!("http://{}", provider.address)),
        ("VOELGOED__SERVER__PUBLIC_URL", url.to_owned()),
        ("VOELGOED__SERVER__TRUSTED_PROXIES", "127.0.0.1".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    if let Some(replica) = postgres.replica_url() {
        environment.push(("VOELGOED__COLD__REPLICAS".to_owned(), replica));
    }
    environment.extend(plan.environment.iter().cloned());
    environment
}
