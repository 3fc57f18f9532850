//! Restarts every node in turn behind HAProxy under load: no request fails, and every acknowledged order is paid.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::ensure;
use reqwest::Method;
use voelgoed_testkit::cluster::{ClusterPlan, TestCluster, clear_root};
use voelgoed_testkit::http_client::{ApiCall, ApiClient};
use voelgoed_testkit::limits::unlimited_with;
use voelgoed_testkit::organizer::TestOrganizer;
use voelgoed_testkit::report::SuiteReport;
use voelgoed_testkit::until::until;

use crate::NodesCli;
use crate::buyer_load::BuyerLoad;

/// Concurrent buyers, each of whom waits for responses.
const BUYERS: usize = 8;
/// HAProxy checks nodes twice a second.
const LAME_DUCK: &str = "3s";
/// For everything that another process does.
const PROCESS_TIMEOUT: Duration = Duration::from_secs(60);

/// Restarts a platform of two web nodes and a worker, one after the other.
pub async fn run(nodes: &NodesCli, long: bool, report: &mut SuiteReport) -> anyhow::Result<()> {
    let root = nodes.root.join("rolling");
    clear_root(&root)?;
    let mut platform = TestCluster::start(ClusterPlan {
        binary: nodes.binary.clone(),
        root,
        roles: vec!["web", "web", "worker"],
        redis_cluster: false,
        replica: false,
        haproxy: Some(nodes.haproxy.canonicalize()?),
        environment: unlimited_with(&[("VOELGOED__SERVER__LAME_DUCK", LAME_DUCK)]),
        time_scale: 0.2,
    })
    .await?;
    let organizer = TestOrganizer::of_demo(&platform.url, &platform.card)?;
    let event = organizer.make_event("Rolling", 1, 100_000).await?;
    let load = BuyerLoad::start(&platform.url, &event, BUYERS)?;
    for round in 0..if long { 3 } else { 1 } {
        for at in 0..platform.nodes.len() {
            let start = Instant::now();
            wait_until_balanced(&platform).await?;
            platform.nodes[at].stop().await?;
            platform.nodes[at].start().await?;
            platform.nodes[at].ready().await?;
            platform.write_pids()?;
            println!(
                "round {round}: {} was restarted in {:.1} s",
                platform.nodes[at].name(),
                start.elapsed().as_secs_f64()
            );
        }
    }
    let record = load.finish().await;
    let (succeeded, orders, failures) =
        (record.succeeded.load(Ordering::Relaxed), record.orders().len(), record.failures());
    println!("{succeeded} requests succeeded, {} failed; {orders} orders", failures.len());
    let outcome = match failures.first() {
        None if orders > 0 => Ok(()),
        None => Err(anyhow::anyhow!("no order was placed")),
        Some(first) => Err(anyhow::anyhow!("{} requests failed, the first: {first}", failures.len())),
    };
    report.check("no request fails during a rolling restart behind HAProxy", outcome);
    let sold = until("every acknowledged order is paid", PROCESS_TIMEOUT, || async {
        let listed = organizer.orders(&event.id).await?;
        ensure!(listed.len() == orders, "{orders} were acknowledged, {} are listed", listed.len());
        Ok(listed.iter().all(|order| order["state"] == "paid").then_some(()))
    });
    report.check("the acknowledged orders are paid, and there are no others", sold.await);
    platform.stop().await
}

/// Waits until HAProxy sends requests to every node: it does not use a node as soon as the node is ready.
pub async fn wait_until_balanced(platform: &TestCluster) -> anyhow::Result<()> {
    let client = ApiClient::new(&platform.url)?;
    let serving: Vec<_> = platform.serving().collect();
    let mut before = Vec::new();
    for node in &serving {
        before.push(livez_requests(&node.operator().text("/metrics").await?));
    }
    until("HAProxy sends requests to every node", PROCESS_TIMEOUT, || async {
        for _ in 0..serving.len() * 8 {
            client.call(Method::GET, "/livez", ApiCall::default()).await?;
        }
        for (node, before) in serving.iter().zip(&before) {
            if livez_requests(&node.operator().text("/metrics").await?) <= *before {
                return Ok(None);
            }
        }
        Ok(Some(()))
    })
    .await
}

/// Requests of `/livez` by the node's own metric; HAProxy's health checks use another route.
fn livez_requests(metrics: &str) -> f64 {
    let lines = metrics.lines().filter(|line| line.starts_with("voelgoed_http_requests_total{"));
    let lines = lines.filter(|line| line.contains("route=\"/livez\""));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}
