//! Upgrades nodes one by one under load: every request succeeds, and outbox events of a newer format wait for a newer node.
//!
//! The short run plants rows of an unknown kind and of an unknown format under today's program. The long run (`--long`) builds the program of
//! [`PREVIOUS`] from the repository's history and upgrades real nodes from it, which takes minutes.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::Method;
use serde_json::json;
use tokio::process::Command;
use voelgoed_testkit::cluster::{ClusterPlan, TestCluster, clear_root};
use voelgoed_testkit::http_client::{ApiCall, ApiClient};
use voelgoed_testkit::limits::unlimited_with;
use voelgoed_testkit::organizer::{TestEvent, TestOrganizer, text};
use voelgoed_testkit::report::SuiteReport;
use voelgoed_testkit::server::TestServer;
use voelgoed_testkit::until::until;

use crate::NodesCli;
use crate::buyer_load::{BuyerLoad, BuyerLoadRecord};

/// The commit of the program to upgrade from: it knows no formats, and stops its batch at a row that it cannot read.
const PREVIOUS: &str = "4536878";
/// The limits that the previous program knows.
const KNOWN_LIMITS: &[&str] = &["SESSION_BURST", "ADDRESS_BURST", "__HOLD_BURST"];
const BUYERS: usize = 6;
/// Orders acknowledged in each phase.
const ORDERS: usize = 40;
/// API keys revoked in each phase; each is an outbox event of format 2.
const KEYS: usize = 5;
/// For everything that another process does.
const PROCESS_TIMEOUT: Duration = Duration::from_secs(120);
const LAME_DUCK: &str = "3s";

const PENDING_SQL: &str = "select count(*) from outbox where delivered_at is null";
const NEWER_SQL: &str = "select count(*) from outbox where format > 1";
const NEWER_PENDING_SQL: &str = "select count(*) from outbox where format > 1 and delivered_at is null";

/// Plants rows that today's program does not know, under load.
pub async fn planted(nodes: &NodesCli, report: &mut SuiteReport) -> anyhow::Result<()> {
    let platform = start(nodes, nodes.binary.canonicalize()?, "planted", unlimited_with(&[])).await?;
    let organizer = TestOrganizer::of_demo(&platform.url, &platform.card)?;
    let event = organizer.make_event("Planted", 1, 100_000).await?;
    let load = BuyerLoad::start(&platform.url, &event, BUYERS)?;
    for (body, format) in [
        (r#"{"v":1,"fact":{"fact":"a_later_invention"}}"#, 1),
        (r#"{"v":2,"fact":{"fact":"listing_changed"}}"#, 1),
        (r#"{"v":1"#, 1),
        (r#"{"v":9,"fact":null}"#, 99),
    ] {
        let insert = format!(
            "insert into outbox (organization_id, id, aggregate, version, part, body, at, due_at, format)
             select id, gen_random_uuid(), gen_random_uuid(), 1, 0, '{body}', 0, 0, {format} from organizations limit 1"
        );
        platform.postgres.sql(&insert).await?;
    }
    wait_for_orders(&load, ORDERS).await?;
    let record = load.finish().await;
    check_requests(report, "planted rows", &record);
    report.check("orders are paid beside unreadable rows", paid(&organizer, &event, record.orders().len()).await);
    let relayed = until("all readable rows are relayed", PROCESS_TIMEOUT, || async {
        Ok((platform.postgres.sql(PENDING_SQL).await?.trim() == "4").then_some(()))
    });
    report.check("unreadable rows delay only their own aggregate", relayed.await);
    let output = match platform.nodes[0].run(&["doctor"]).await {
        Ok(text) => text,
        Err(error) => format!("{error:#}"),
    };
    report.check_eq("doctor names them", output.contains("4 rows wait that this program cannot read"), true);
    platform.stop().await
}

/// Builds the previous program and upgrades a platform of two web nodes and a worker from it.
pub async fn upgraded(nodes: &NodesCli, report: &mut SuiteReport) -> anyhow::Result<()> {
    let today = nodes.binary.canonicalize()?;
    let previous = build_previous(&nodes.root).await?;
    let (known, newer): (Vec<_>, Vec<_>) =
        unlimited_with(&[]).into_iter().partition(|(name, _)| KNOWN_LIMITS.iter().any(|known| name.ends_with(known)));
    let mut platform = start(nodes, previous, "upgraded", known).await?;
    let organizer = TestOrganizer::of_demo(&platform.url, &platform.card)?;
    let event = organizer.make_event("Upgraded", 1, 100_000).await?;
    let load = BuyerLoad::start(&platform.url, &event, BUYERS)?;
    wait_for_orders(&load, ORDERS).await?;
    let upgrade = |node: &mut TestServer| {
        newer.iter().for_each(|(name, value)| node.set_environment(name, value));
        node.set_binary(&today)
    };
    upgrade(&mut platform.nodes[2])?;
    platform.nodes[2].run(&["migrate"]).await?;
    let mut revoked = Vec::new();
    // Web nodes first: the old worker relays while new nodes write events that it does not know.
    for at in 0..platform.nodes.len() {
        crate::rolling::wait_until_balanced(&platform).await?;
        platform.nodes[at].stop().await?;
        upgrade(&mut platform.nodes[at])?;
        platform.nodes[at].start().await?;
        platform.nodes[at].ready().await?;
        if platform.nodes[at].serves_people() {
            // Health checks move to the internal listener. Only once the node is ready, since a new HAProxy process starts with every node in use.
            platform.reload_haproxy(&nodes.haproxy.canonicalize()?).await?;
        }
        platform.write_pids()?;
        if platform.nodes[at].serves_people() {
            revoked.extend(revoke(&organizer, platform.nodes[at].client()).await?);
        }
        let so_far = load.record.orders().len();
        wait_for_orders(&load, so_far + ORDERS).await?;
        if at == 1 {
            let pending = platform.postgres.sql(NEWER_PENDING_SQL).await?;
            report.check_eq("events that the old worker does not know wait for a new one", pending.trim(), "10");
        }
    }
    let record = load.finish().await;
    check_requests(report, "an upgrade from the previous program", &record);
    report.check("every acknowledged order is paid", paid(&organizer, &event, record.orders().len()).await);
    let relayed = until("all rows are relayed", PROCESS_TIMEOUT, || async {
        Ok((platform.postgres.sql(PENDING_SQL).await?.trim() == "0").then_some(()))
    });
    report.check("no effect is lost: the outbox is empty", relayed.await);
    let newer = platform.postgres.sql(NEWER_SQL).await?;
    report.check_eq("some events were of a kind that the old program does not know", newer.trim(), "10");
    for node in platform.serving() {
        report.check("revoked keys are refused at every node", refused(node.client(), &revoked).await);
    }
    platform.stop().await
}

async fn start(
    nodes: &NodesCli,
    binary: PathBuf,
    name: &str,
    mut environment: Vec<(String, String)>,
) -> anyhow::Result<TestCluster> {
    let root = nodes.root.join(name);
    clear_root(&root)?;
    environment.push(("VOELGOED__SERVER__LAME_DUCK".to_owned(), LAME_DUCK.to_owned()));
    TestCluster::start(ClusterPlan {
        binary,
        root,
        roles: vec!["web", "web", "worker"],
        redis_cluster: false,
        replica: false,
        haproxy: Some(nodes.haproxy.canonicalize()?),
        environment,
        time_scale: 0.2,
    })
    .await
}

/// Builds the release binary of [`PREVIOUS`] in a git worktree below `root`, which is kept between runs.
async fn build_previous(root: &Path) -> anyhow::Result<PathBuf> {
    std::fs::create_dir_all(root)?;
    let tree = root.canonicalize()?.join(format!("previous-{PREVIOUS}"));
    let binary = tree.join("target/release/voelgoed");
    if binary.exists() {
        return Ok(binary);
    }
    if !tree.exists() {
        let mut git = Command::new("git");
        git.args(["worktree", "add", "--detach"]).arg(&tree).arg(PREVIOUS);
        succeed(git).await?;
    }
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "-p", "voelgoed", "--locked", "--target-dir"]).arg(tree.join("target"));
    cargo.current_dir(&tree);
    println!("building the program of {PREVIOUS} in {}", tree.display());
    succeed(cargo).await?;
    Ok(binary)
}

async fn succeed(mut command: Command) -> anyhow::Result<()> {
    let status = command.kill_on_drop(true).status().await?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}

async fn wait_for_orders(load: &BuyerLoad, orders: usize) -> anyhow::Result<()> {
    until("orders are acknowledged", PROCESS_TIMEOUT, || async {
        Ok((load.record.orders().len() >= orders).then_some(()))
    })
    .await
}

fn check_requests(report: &mut SuiteReport, what: &str, record: &BuyerLoadRecord) {
    let failures = record.failures();
    println!(
        "{what}: {} requests succeeded, {} failed, {} orders",
        record.succeeded.load(Ordering::Relaxed),
        failures.len(),
        record.orders().len()
    );
    let outcome =
        failures.first().map_or(Ok(()), |first| Err(anyhow::anyhow!("{} failed, the first: {first}", failures.len())));
    report.check(&format!("{what}: no request fails"), outcome);
}

async fn paid(organizer: &TestOrganizer, event: &TestEvent, orders: usize) -> anyhow::Result<()> {
    until("every acknowledged order is paid", PROCESS_TIMEOUT, || async {
        let listed = organizer.orders(&event.id).await?;
        Ok((listed.len() >= orders && listed.iter().all(|order| order["state"] == "paid")).then_some(()))
    })
    .await
}

/// Makes keys, revokes them at one node, and returns their secrets.
async fn revoke(organizer: &TestOrganizer, node: &ApiClient) -> anyhow::Result<Vec<String>> {
    let mut secrets = Vec::new();
    for number in 0..KEYS {
        let body = json!({"name": format!("Key {number}"), "scopes": ["catalog"]});
        let made = organizer.call(Method::POST, "/api/v1/api-keys", None, Some(&body)).await?.must(201)?;
        let (id, secret) = (text(&made, "id")?, text(&made, "secret")?);
        let call = || ApiCall { bearer: Some(&organizer.key), ..ApiCall::default() };
        let answer = node.call(Method::DELETE, &format!("/api/v1/api-keys/{id}"), call()).await?;
        ensure!(answer.status == 204, "revoking answered {}", answer.status);
        secrets.push(secret);
    }
    Ok(secrets)
}

async fn refused(node: &ApiClient, secrets: &[String]) -> anyhow::Result<()> {
    for secret in secrets {
        let call = ApiCall { bearer: Some(secret), ..ApiCall::default() };
        let status = node.call(Method::GET, "/api/v1/venues", call).await.context("a revoked key")?.status;
        ensure!(status == 401, "a revoked key was answered {status}");
    }
    Ok(())
}
