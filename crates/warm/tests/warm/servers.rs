//! The servers that all tests of one binary share, and a store for each test with a prefix of its own.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::OnceCell;
use voelgoed_contracts::subject::{Subject, TestEnvironment};
use voelgoed_testkit::redis::{RedisCluster, RedisServer};
use voelgoed_warm::redis::{Clock, RedisSettings, RedisWarm};

/// A machine that is busy is no server that is away.
const PATIENCE: Duration = Duration::from_secs(5);

static SINGLE: OnceCell<RedisServer> = OnceCell::const_new();
static RESTRICTED: OnceCell<RedisServer> = OnceCell::const_new();
static CLUSTER: OnceCell<RedisCluster> = OnceCell::const_new();
static TESTS: AtomicUsize = AtomicUsize::new(0);

/// Where servers keep their files.
pub fn directory() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// One server for all.
pub async fn single() -> &'static RedisServer {
    SINGLE.get_or_init(|| async { RedisServer::start(directory()).await.unwrap() }).await
}

/// One cluster for all.
pub async fn cluster() -> &'static RedisCluster {
    CLUSTER.get_or_init(|| async { RedisCluster::start(directory()).await.unwrap() }).await
}

/// What `deploy/README.md` tells the operator to grant, for the prefixes of tests.
fn rights() -> Vec<String> {
    let manual = include_str!("../../../../deploy/README.md");
    let line = manual.lines().find(|line| line.starts_with("ACL SETUSER ")).expect("the manual has the line");
    line.replace("vg:*", "test*").split_whitespace().map(str::to_owned).collect()
}

async fn grant(server: &RedisServer) {
    let rights = rights();
    server.ask(&rights.iter().map(String::as_str).collect::<Vec<_>>()).await.unwrap();
}

/// The address as of the user with those rights.
pub fn as_user(url: &str) -> String {
    url.replace("://", "://voelgoed:PASSWORD@")
}

/// One server for all who come as that user.
pub async fn restricted() -> String {
    let start = async || {
        let server = RedisServer::start(directory()).await.unwrap();
        grant(&server).await;
        server
    };
    as_user(&RESTRICTED.get_or_init(start).await.url())
}

/// Grants those rights at every server of the cluster.
pub async fn restricted_cluster() -> String {
    let cluster = cluster().await;
    for server in cluster.servers() {
        grant(server).await;
    }
    as_user(&cluster.url())
}

/// Settings with a prefix that no other test has.
pub fn settings(url: &str) -> RedisSettings {
    let number = TESTS.fetch_add(1, Ordering::Relaxed);
    RedisSettings {
        prefix: format!("test{number}"),
        connect_within: PATIENCE,
        answer_within: PATIENCE,
        ..RedisSettings::from_url(url).unwrap()
    }
}

/// A store whose clock the test moves.
pub async fn subject(url: String) -> Subject<RedisWarm> {
    let environment = Arc::new(TestEnvironment::default());
    let settings = RedisSettings { clock: Clock::Environment, ..settings(&url) };
    let store = Arc::new(RedisWarm::open(settings, Arc::clone(&environment) as _));
    Subject { store, environment, keep: Box::new(()) }
}
