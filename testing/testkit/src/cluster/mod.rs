//! A whole platform on this machine: Redis, Postgres, the sandbox provider, nodes, HAProxy, each a real process on a free port of loopback.
//!
//! Never: a process that outlives its value, or one ended that was not started here. What was started is written to `pids.json`, so that a
//! later start at the same place ends what a killed one left behind.

mod daemon;
mod node;
mod postgres;
mod redis;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::process::Command;

pub use daemon::{Daemon, end_leftovers};
pub use node::Node;
pub use postgres::Postgres;
pub use redis::Redis;

use crate::haproxy;
use crate::port::{free_address, free_port};

/// What is started.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The `voelgoed` binary.
    pub binary: PathBuf,
    /// Where everything keeps its files.
    pub root: PathBuf,
    /// The role of each node.
    pub roles: Vec<&'static str>,
    /// Three masters with a replica each, instead of one server.
    pub redis_cluster: bool,
    /// A streaming replica of Postgres.
    pub replica: bool,
    /// HAProxy by this configuration, in front of the nodes that serve people.
    pub haproxy: Option<PathBuf>,
    /// What all nodes are told beside where everything is, e.g. `VOELGOED__SALE__HOLD`.
    pub environment: Vec<(String, String)>,
    /// The sandbox provider's delays are multiplied by this.
    pub time_scale: f64,
}

/// Everything that runs.
#[derive(Debug)]
pub struct Platform {
    /// Where buyers go: HAProxy, or the first node.
    pub url: String,
    /// What the demo says about itself.
    pub card: Value,
    /// The nodes, as the plan names them.
    pub nodes: Vec<Node>,
    /// HAProxy.
    pub haproxy: Option<Daemon>,
    /// The sandbox provider.
    pub provider: Daemon,
    /// The warm tier.
    pub redis: Redis,
    /// The cold tier.
    pub postgres: Postgres,
    root: PathBuf,
}

impl Platform {
    /// Starts everything, migrates, makes the demo where there is none, and waits until all nodes are ready.
    ///
    /// # Errors
    /// Names what does not come up.
    pub async fn start(plan: Plan) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&plan.root)?;
        let root = plan.root.canonicalize()?;
        end_leftovers(&root)?;
        let (warm, cold) = (root.join("redis"), root.join("postgres"));
        let (redis, postgres) =
            tokio::try_join!(Redis::start(&warm, plan.redis_cluster), Postgres::start(&cold, plan.replica))?;
        let ports = plan.roles.iter().map(|_| Ok((free_port()?, free_port()?)));
        let ports: Vec<(u16, u16)> = ports.collect::<anyhow::Result<_>>()?;
        let front = free_port()?;
        let url = match (&plan.haproxy, ports.first()) {
            (Some(_), _) => format!("http://127.0.0.1:{front}"),
            (None, Some((first, _))) => format!("http://127.0.0.1:{first}"),
            (None, None) => anyhow::bail!("a platform without a node"),
        };
        let master = master(&root)?;
        let provider = provider(&plan, &root, &url, &master).await?;
        let environment = environment(&plan, &redis, &postgres, &provider, &url, &master);
        // Before anything else may fail: what runs already must be known to a later start.
        let mut platform =
            Self { url, card: Value::Null, nodes: Vec::new(), haproxy: None, provider, redis, postgres, root };
        platform.note()?;
        command(&plan.binary, &["migrate"], &platform.root.join("demo"), &environment).await?;
        let seed = ["demo", "--seed-only", "--json"];
        let card = command(&plan.binary, &seed, &platform.root.join("demo"), &environment).await?;
        platform.card = serde_json::from_str(card.trim()).with_context(|| format!("the demo's line: {card}"))?;
        for (number, (role, port)) in plan.roles.iter().zip(&ports).enumerate() {
            let name = format!("node-{}", number + 1);
            let mut node = Node::new(&name, role, *port, &plan.binary, &platform.root, environment.clone());
            node.start().await?;
            platform.nodes.push(node);
            platform.note()?;
        }
        for node in &platform.nodes {
            node.ready().await?;
        }
        if let Some(config) = &plan.haproxy {
            platform.haproxy = Some(haproxy::start(config, &platform.root, front, &platform.serving()).await?);
            platform.note()?;
        }
        Ok(platform)
    }

    /// Where each node serves people, and where it says whether it is ready.
    fn serving(&self) -> Vec<(String, String)> {
        let serving = self.nodes.iter().filter(|node| node.serves());
        serving.map(|node| (node.address.clone(), node.check_address().to_owned())).collect()
    }

    /// Has HAProxy read again where its nodes are checked; connections that are open end with their request.
    ///
    /// # Errors
    /// Where there is none, or the new process does not come up.
    pub async fn reload_haproxy(&mut self, config: &Path) -> anyhow::Result<()> {
        let before = self.haproxy.take().context("a platform without HAProxy")?;
        self.haproxy = Some(haproxy::reload(config, &self.root, before, &self.serving()).await?);
        self.note()
    }

    /// The demo's line with `nodes` and `services`.
    #[must_use]
    pub fn line(&self) -> Value {
        let mut line = self.card.clone();
        // Of the first node that serves people; each node has its own.
        let first = self.nodes.iter().find(|node| node.serves()).or(self.nodes.first());
        line["internal_url"] = json!(first.map(|node| format!("http://{}", node.internal_address)));
        line["nodes"] = self
            .nodes
            .iter()
            .map(|node| {
                let internal_url = format!("http://{}", node.internal_address);
                json!({"name": node.name, "role": node.role, "address": node.address, "internal_url": internal_url,
                    "pid": node.pid()})
            })
            .collect();
        line["services"] = self
            .services()
            .map(|service| json!({"name": service.name, "address": service.address, "pid": service.pid()}))
            .collect();
        line
    }

    fn services(&self) -> impl Iterator<Item = &Daemon> {
        self.haproxy.iter().chain([&self.provider]).chain(&self.redis.servers).chain(self.postgres.servers())
    }

    /// Writes down which processes are ours.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn note(&self) -> anyhow::Result<()> {
        let pids = self.services().filter_map(Daemon::pid).chain(self.nodes.iter().filter_map(Node::pid));
        Ok(std::fs::write(self.root.join(daemon::PIDS), json!(pids.collect::<Vec<_>>()).to_string())?)
    }

    /// Stops everything in order: nodes drain, then what they need.
    ///
    /// # Errors
    /// Where a node ends badly; the others are ended all the same.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let stopping = self.nodes.iter_mut().filter(|node| node.pid().is_some()).map(Node::stop);
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

/// The master key of the platform at `root`: random, made once, and found again by a later start at the same place.
fn master(root: &Path) -> anyhow::Result<String> {
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
    plan: &Plan,
    redis: &Redis,
    postgres: &Postgres,
    provider: &Daemon,
    url: &str,
    master: &str,
) -> Vec<(String, String)> {
    let mut environment: Vec<(String, String)> = [
        ("VOELGOED__WARM__URL", redis.url()),
        ("VOELGOED__COLD__URL", postgres.url()),
        ("VOELGOED__SECRETS__MASTER", master.to_owned()),
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

async fn provider(plan: &Plan, root: &Path, url: &str, master: &str) -> anyhow::Result<Daemon> {
    let address = free_address()?;
    let mut command = Command::new(&plan.binary);
    command.args(["sandbox-psp", "--listen", &address, "--file"]).arg(root.join("sandbox/charges.jsonl"));
    command.args(["--callback-url", &format!("{url}/api/v1/providers/sandbox/callback")]);
    command.args(["--time-scale", &plan.time_scale.to_string()]).env("VOELGOED__SECRETS__MASTER", master);
    std::fs::create_dir_all(root.join("sandbox"))?;
    let mut provider = Daemon::start("sandbox-psp", &address, command, root)?;
    provider.listens().await?;
    Ok(provider)
}

/// Runs a command of the binary to its end; returns what it printed.
async fn command(
    binary: &Path,
    arguments: &[&str],
    data: &Path,
    environment: &[(String, String)],
) -> anyhow::Result<String> {
    let mut command = Command::new(binary);
    command.args(arguments).arg("--data").arg(data).envs(environment.iter().cloned());
    daemon::output(command).await
}
