//! The platform that is broken: two nodes on one Redis with a replica, one Postgres and one payment provider, each a process of its own. Each node has
//! ways of its own to Redis and Postgres, so that they can be parted from it alone. How each breaks is in `strike`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::Context;
use reqwest::Method;
use voelgoed_testkit::client::{Call, Client};
use voelgoed_testkit::organizer::Organizer;
use voelgoed_testkit::port::free_address;
use voelgoed_testkit::postgres::{Postgres, ROLE};
use voelgoed_testkit::proxy::Proxy;
use voelgoed_testkit::redis::RedisServer;
use voelgoed_testkit::server::fresh_directory;
use voelgoed_testkit::until::until;

use super::process::Process;
use super::schedule::NODES;

/// Everything is ready again within this after the last injection.
const HEALED: Duration = Duration::from_secs(120);
/// The key of a platform that guards nothing.
const MASTER: &str = "610a939be7a7c3524fb8527f4c1ff5c2bf5af2758515373ebcbed1d30cbb565b";
/// The database.
const DATABASE: &str = "storm";

/// Everything that runs.
pub struct Stage {
    /// Where the nodes answer.
    pub urls: Vec<String>,
    /// Where they answer operators.
    internal_urls: Vec<String>,
    /// The provider's books are below it.
    pub data: PathBuf,
    /// How often the warm tier has lost something so far.
    pub warm_losses: Arc<AtomicU64>,
    /// How often a node ended by itself.
    pub ended: u32,
    pub(super) nodes: Vec<Process>,
    pub(super) ways: Vec<Ways>,
    pub(super) provider: Process,
    pub(super) redis: [RedisServer; 2],
    /// Which of them is the master.
    pub(super) master: usize,
    pub(super) postgres: Postgres,
    /// False where nothing can be mounted here.
    pub(super) has_disk: bool,
    pub(super) copy: PathBuf,
}

/// A node's ways to the stores.
pub(super) struct Ways {
    pub(super) redis: Proxy,
    pub(super) postgres: Proxy,
}

impl Ways {
    async fn start(redis: &RedisServer, postgres: &Postgres) -> anyhow::Result<Self> {
        Ok(Self { redis: Proxy::start(&redis.address()).await?, postgres: Proxy::start(&postgres.address()).await? })
    }
}

impl Stage {
    /// Starts all of it, the schema up to date.
    pub async fn start(binary: &Path, root: &Path) -> anyhow::Result<Self> {
        let data = fresh_directory(root, "storm")?;
        std::fs::create_dir_all(data.join("sandbox"))?;
        let data = data.canonicalize()?;
        let binary = binary.canonicalize().with_context(|| binary.display().to_string())?;
        // A replica follows at once, and keeps nothing of it over a restart.
        let pair = ["--repl-diskless-sync-delay", "0", "--rdb-del-sync-files", "yes"].map(str::to_owned);
        let redis = [RedisServer::start_with(&data, &pair).await?, RedisServer::start_with(&data, &pair).await?];
        redis[1].follow(&redis[0]).await?;
        let (postgres, has_disk) = match Postgres::start_on_small_disk().await {
            Ok(postgres) => (postgres, true),
            Err(error) => {
                println!("no disk will be full: {error:#}");
                (Postgres::start().await?, false)
            }
        };
        postgres.create_database(DATABASE, "template0")?;
        let (addresses, provider_address) =
            ((0..NODES).map(|_| free_address()).collect::<anyhow::Result<Vec<_>>>()?, free_address()?);
        let internal = (0..NODES).map(|_| free_address()).collect::<anyhow::Result<Vec<_>>>()?;
        let urls = |addresses: &[String]| addresses.iter().map(|address| format!("http://{address}")).collect();
        let (urls, internal_urls): (Vec<_>, Vec<_>) = (urls(&addresses), urls(&internal));
        let mut ways = Vec::new();
        for _ in 0..NODES {
            ways.push(Ways::start(&redis[0], &postgres).await?);
        }
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let file = data.join("sandbox/charges.jsonl");
        let callback = format!("{}/api/v1/providers/sandbox/callback", urls[0]);
        let books = file.to_str().context("a name in UTF-8")?;
        let arguments =
            words(&["sandbox-psp", "--listen", &provider_address, "--file", books, "--callback-url", &callback]);
        let same = environment(&ways[0], &provider_address);
        let mut provider = Process::new(binary.clone(), arguments, same, data.join("provider.log"));
        provider.start()?;
        let mut nodes = Vec::new();
        for (number, address) in addresses.iter().enumerate() {
            let name = format!("node-{number}");
            let own = data.join(&name);
            let own = own.to_str().context("a name in UTF-8")?;
            let internal = &internal[number];
            let arguments = words(&["serve", "--listen", address, "--internal-listen", internal, "--data", own]);
            let log = data.join(format!("{name}.log"));
            nodes.push(Process::new(binary.clone(), arguments, environment(&ways[number], &provider_address), log));
        }
        println!("{}", nodes[0].ask(&["migrate"]).await?.trim_end().lines().last().unwrap_or_default());
        let copy = data.join("old.rdb");
        let warm_losses = Arc::default();
        let (ended, master) = (0, 0);
        let mut stage = Self {
            urls,
            internal_urls,
            data,
            warm_losses,
            ended,
            nodes,
            ways,
            provider,
            redis,
            master,
            postgres,
            has_disk,
            copy,
        };
        for node in &mut stage.nodes {
            node.start()?;
        }
        stage.healed().await?;
        Ok(stage)
    }

    /// A new organization's first key.
    pub async fn organization(&self, slug: &str) -> anyhow::Result<Organizer> {
        let said = self.nodes[0].ask(&["organization", slug, slug]).await?;
        let key = said.lines().find(|line| line.starts_with("vgk_")).context("a key")?.to_owned();
        Ok(Organizer { client: Client::new(&self.urls[0])?, key })
    }

    /// Starts what is down, as a supervisor does: a node that finds no Postgres ends and is started again.
    pub(super) async fn keep(&mut self) -> anyhow::Result<()> {
        if self.postgres.keep().await? {
            println!("Postgres had ended by itself");
        }
        for node in &mut self.nodes {
            self.ended += u32::from(node.keep()?);
        }
        self.provider.keep().map(drop)
    }

    /// Waits until every node says that it is ready and nothing is away.
    pub async fn healed(&mut self) -> anyhow::Result<()> {
        for at in 0..self.urls.len() {
            let client = Client::new(&self.internal_urls[at])?;
            let limit = tokio::time::Instant::now() + HEALED;
            while tokio::time::Instant::now() < limit {
                self.keep().await?;
                let ready = until("ready", Duration::from_secs(3), || async {
                    let answer = client.call(Method::GET, "/readyz", Call::default()).await;
                    Ok(answer.is_ok_and(|answer| answer.status == 200).then_some(()))
                });
                if ready.await.is_ok() {
                    break;
                }
            }
            client.call(Method::GET, "/readyz", Call::default()).await?.must(200)?;
        }
        Ok(())
    }
}

fn environment(ways: &Ways, provider: &str) -> Vec<(&'static str, String)> {
    let many = || "100000000".to_owned();
    vec![
        ("VOELGOED__WARM__URL", format!("redis://{}", ways.redis.address())),
        ("VOELGOED__COLD__URL", format!("postgres://{ROLE}@{}/{DATABASE}", ways.postgres.address())),
        ("VOELGOED__SECRETS__MASTER", MASTER.to_owned()),
        ("VOELGOED__SANDBOX__URL", format!("http://{provider}")),
        ("VOELGOED__LIMITS__ADDRESS_BURST", many()),
        ("VOELGOED__LIMITS__HOLD_BURST", many()),
        ("VOELGOED__LIMITS__PLACES_PER_ADDRESS_MAX", many()),
        ("VOELGOED__LIMITS__READ_BURST", many()),
        ("VOELGOED__LIMITS__SESSION_BURST", many()),
        ("VOELGOED__SALE__HOLD", "10s".to_owned()),
        ("VOELGOED__SALE__EXTENSION", "10s".to_owned()),
        ("VOELGOED__SALE__POLL_EVERY", "1s".to_owned()),
        ("VOELGOED__LOG__FILTER", "warn".to_owned()),
    ]
}
