//! The platform that is broken: two nodes on one Redis, one Postgres and one payment provider, each a process of its own; and how each of them breaks.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use reqwest::Method;
use tokio::time::sleep;
use voelgoed_testkit::client::{Call, Client};
use voelgoed_testkit::organizer::Organizer;
use voelgoed_testkit::postgres::Postgres;
use voelgoed_testkit::redis::RedisServer;
use voelgoed_testkit::server::fresh_directory;
use voelgoed_testkit::until::until;

use super::process::Process;
use super::schedule::{Injection, Kind, NODES};

/// Everything is ready again within this after the last injection.
const HEALED: Duration = Duration::from_secs(120);
/// The key of a platform that guards nothing.
const MASTER: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
/// The database.
const DATABASE: &str = "storm";

/// Everything that runs.
pub struct Stage {
    /// Where the nodes answer.
    pub urls: Vec<String>,
    /// The provider's books are below it.
    pub data: PathBuf,
    /// How often the warm tier has lost something so far.
    pub warm_losses: Arc<AtomicU64>,
    /// How often a node ended by itself.
    pub ended: u32,
    nodes: Vec<Process>,
    provider: Process,
    redis: RedisServer,
    postgres: Postgres,
    copy: PathBuf,
}

fn free_address() -> anyhow::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

impl Stage {
    /// Starts all of it, the schema up to date.
    pub async fn start(binary: &Path, root: &Path) -> anyhow::Result<Self> {
        let data = fresh_directory(root, "storm")?;
        std::fs::create_dir_all(data.join("sandbox"))?;
        let data = data.canonicalize()?;
        let binary = binary.canonicalize().with_context(|| binary.display().to_string())?;
        let redis = RedisServer::start(&data).await?;
        let postgres = Postgres::start().await?;
        postgres.create_database(DATABASE, "template0")?;
        let (addresses, provider_address) =
            ((0..NODES).map(|_| free_address()).collect::<anyhow::Result<Vec<_>>>()?, free_address()?);
        let urls: Vec<_> = addresses.iter().map(|address| format!("http://{address}")).collect();
        let environment = environment(&redis, &postgres, &provider_address);
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let file = data.join("sandbox/charges.jsonl");
        let callback = format!("{}/api/v1/providers/sandbox/callback", urls[0]);
        let books = file.to_str().context("a name in UTF-8")?;
        let arguments =
            words(&["sandbox-psp", "--listen", &provider_address, "--file", books, "--callback-url", &callback]);
        let mut provider = Process::new(binary.clone(), arguments, environment.clone(), data.join("provider.log"));
        provider.start()?;
        let mut nodes = Vec::new();
        for (number, address) in addresses.iter().enumerate() {
            let name = format!("node-{number}");
            let own = data.join(&name);
            let arguments = words(&["serve", "--listen", address, "--data", own.to_str().context("a name in UTF-8")?]);
            let log = data.join(format!("{name}.log"));
            nodes.push(Process::new(binary.clone(), arguments, environment.clone(), log));
        }
        println!("{}", nodes[0].ask(&["migrate"]).await?.trim_end().lines().last().unwrap_or_default());
        let copy = data.join("old.rdb");
        let warm_losses = Arc::default();
        let mut stage = Self { urls, data, warm_losses, ended: 0, nodes, provider, redis, postgres, copy };
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

    /// Breaks something, and mends it.
    pub async fn strike(&mut self, injection: &Injection) -> anyhow::Result<()> {
        if injection.copy {
            self.keep_copy().await?;
        }
        let away = injection.away;
        match injection.kind {
            Kind::KillNode(node) => {
                self.nodes[node].kill().await?;
                sleep(away).await;
            }
            Kind::FreezeNode(node) => {
                self.nodes[node].signal("-STOP").await?;
                sleep(away).await;
                self.nodes[node].signal("-CONT").await?;
            }
            Kind::KillProvider => {
                self.provider.kill().await?;
                sleep(away).await;
                self.provider.start()?;
            }
            Kind::KillPostgres => {
                self.postgres.kill().await?;
                sleep(away).await;
                self.postgres.rise().await?;
            }
            Kind::FreezePostgres => {
                self.postgres.freeze()?;
                sleep(away).await;
                self.postgres.thaw()?;
            }
            Kind::CutPostgres => {
                let others = "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 'voelgoed'";
                self.postgres.sql("postgres", others)?;
            }
            Kind::FreezeRedis => {
                self.redis.pause()?;
                sleep(away).await;
                self.redis.resume()?;
            }
            Kind::CutRedis => {
                for class in ["normal", "pubsub"] {
                    self.redis.ask(&["CLIENT", "KILL", "TYPE", class, "SKIPME", "yes"]).await?;
                }
            }
            Kind::Flush => {
                self.redis.flush_all().await?;
                self.lost();
            }
            Kind::KillRedis => self.restart_redis(away, false).await?,
            Kind::OldCopy => self.restart_redis(away, true).await?,
        }
        self.keep()
    }

    async fn restart_redis(&mut self, away: Duration, from_copy: bool) -> anyhow::Result<()> {
        if from_copy && !self.copy.exists() {
            self.keep_copy().await?;
            sleep(away).await;
        }
        self.redis.kill()?;
        self.lost();
        sleep(away).await;
        let saved = self.redis.saved();
        if from_copy {
            std::fs::copy(&self.copy, &saved)?;
        }
        self.redis.rise().await?;
        self.lost();
        if from_copy {
            std::fs::remove_file(saved)?;
        }
        Ok(())
    }

    async fn keep_copy(&self) -> anyhow::Result<()> {
        self.redis.save().await?;
        Ok(std::fs::rename(self.redis.saved(), &self.copy)?)
    }

    fn lost(&self) {
        self.warm_losses.fetch_add(1, Ordering::SeqCst);
    }

    /// Starts what is down, as a supervisor does: a node that finds no Postgres ends and is started again.
    fn keep(&mut self) -> anyhow::Result<()> {
        for node in &mut self.nodes {
            self.ended += u32::from(node.keep()?);
        }
        self.provider.keep().map(drop)
    }

    /// Waits until every node says that it is ready and nothing is away.
    pub async fn healed(&mut self) -> anyhow::Result<()> {
        for at in 0..self.urls.len() {
            let client = Client::new(&self.urls[at])?;
            let limit = tokio::time::Instant::now() + HEALED;
            while tokio::time::Instant::now() < limit {
                self.keep()?;
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

fn environment(redis: &RedisServer, postgres: &Postgres, provider: &str) -> Vec<(&'static str, String)> {
    let many = || "100000000".to_owned();
    vec![
        ("VOELGOED__WARM__URL", redis.url()),
        ("VOELGOED__COLD__URL", postgres.url(DATABASE)),
        ("VOELGOED__SECRETS__MASTER", MASTER.to_owned()),
        ("VOELGOED__SANDBOX__URL", format!("http://{provider}")),
        ("VOELGOED__LIMITS__ADDRESS_BURST", many()),
        ("VOELGOED__LIMITS__HOLD_BURST", many()),
        ("VOELGOED__LIMITS__SESSION_BURST", many()),
        ("VOELGOED__SALE__HOLD", "10s".to_owned()),
        ("VOELGOED__SALE__EXTENSION", "10s".to_owned()),
        ("VOELGOED__SALE__POLL_EVERY", "1s".to_owned()),
        ("VOELGOED__LOG__FILTER", "warn".to_owned()),
    ]
}
