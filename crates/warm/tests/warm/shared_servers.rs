//! Redis servers that all tests of this binary share, and a store with its own key prefix for each test.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::OnceCell;
use voelgoed_contracts::sut::{Sut, TestEnvironment};
use voelgoed_testkit::redis::{RedisCluster, RedisServer};
use voelgoed_warm::redis::{ClockSource, RedisSettings, RedisWarm};

/// Long enough that a busy test machine does not count as an unavailable server.
const STORE_TIMEOUT: Duration = Duration::from_secs(5);

static SINGLE: OnceCell<RedisServer> = OnceCell::const_new();
static RESTRICTED: OnceCell<RedisServer> = OnceCell::const_new();
static CLUSTER: OnceCell<RedisCluster> = OnceCell::const_new();
static TESTS: AtomicUsize = AtomicUsize::new(0);

/// The directory of the servers' files.
pub fn directory() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// The shared single server.
pub async fn single() -> &'static RedisServer {
    SINGLE.get_or_init(|| async { RedisServer::start(directory()).await.unwrap() }).await
}

/// The shared cluster.
pub async fn cluster() -> &'static RedisCluster {
    CLUSTER.get_or_init(|| async { RedisCluster::start(directory()).await.unwrap() }).await
}

/// The ACL rule of `deploy/README.md` with the key prefix of the tests.
fn acl_rule() -> Vec<String> {
    let manual = include_str!("../../../../deploy/README.md");
    let line =
        manual.lines().find(|line| line.starts_with("ACL SETUSER ")).expect("deploy/README.md contains the ACL rule");
    line.replace("vg:*", "test*").split_whitespace().map(str::to_owned).collect()
}

async fn grant(server: &RedisServer) {
    let rule = acl_rule();
    server.execute(&rule.iter().map(String::as_str).collect::<Vec<_>>()).await.unwrap();
}

/// The URL with the user of that rule.
pub fn as_user(url: &str) -> String {
    url.replace("://", "://voelgoed:PASSWORD@")
}

/// The shared server with that user.
pub async fn restricted() -> String {
    let start = async || {
        let server = RedisServer::start(directory()).await.unwrap();
        grant(&server).await;
        server
    };
    as_user(&RESTRICTED.get_or_init(start).await.url())
}

/// The shared cluster with that user on every server.
pub async fn restricted_cluster() -> String {
    let cluster = cluster().await;
    for server in cluster.servers() {
        grant(server).await;
    }
    as_user(&cluster.url())
}

/// Settings with a unique key prefix.
pub fn settings(url: &str) -> RedisSettings {
    let number = TESTS.fetch_add(1, Ordering::Relaxed);
    RedisSettings {
        prefix: format!("test{number}"),
        connect_timeout: STORE_TIMEOUT,
        reply_timeout: STORE_TIMEOUT,
        ..RedisSettings::from_url(url).unwrap()
    }
}

/// A store whose clock the test controls.
pub async fn sut(url: String) -> Sut<RedisWarm> {
    let environment = Arc::new(TestEnvironment::default());
    let settings = RedisSettings { clock: ClockSource::Environment, ..settings(&url) };
    let store = Arc::new(RedisWarm::open(settings, Arc::clone(&environment) as _));
    Sut { store, environment, keep: Box::new(()) }
}
