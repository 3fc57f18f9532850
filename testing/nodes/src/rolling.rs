//! Every node is restarted in its turn behind HAProxy while buyers go on: no request is dropped, and what was acknowledged is sold.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::ensure;
use reqwest::Method;
use voelgoed_testkit::client::{Call, Client};
use voelgoed_testkit::cluster::{Plan, Platform, end_leftovers};
use voelgoed_testkit::organizer::Organizer;
use voelgoed_testkit::until::until;
use voelgoed_testkit::verdict::Verdicts;

use crate::Nodes;
use crate::crowd::Crowd;

/// Buyers at once; each waits for its answers.
const BUYERS: usize = 8;
/// HAProxy looks twice in a second; after three it has surely seen.
const LAME_DUCK: &str = "3s";
/// Whatever another process does is done by then.
const SOON: Duration = Duration::from_secs(60);

/// Restarts a platform of two web nodes and a worker, one after the other.
pub async fn run(nodes: &Nodes, long: bool, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let root = nodes.root.join("rolling");
    if root.exists() {
        end_leftovers(&root.canonicalize()?)?;
        std::fs::remove_dir_all(&root)?;
    }
    let mut platform = Platform::start(Plan {
        binary: nodes.binary.clone(),
        root,
        roles: vec!["web", "web", "worker"],
        redis_cluster: false,
        replica: false,
        haproxy: Some(nodes.haproxy.canonicalize()?),
        environment: vec![
            ("VOELGOED__SERVER__LAME_DUCK".to_owned(), LAME_DUCK.to_owned()),
            ("VOELGOED__LIMITS__ADDRESS_BURST".to_owned(), "100000000".to_owned()),
            ("VOELGOED__LIMITS__HOLD_BURST".to_owned(), "100000000".to_owned()),
            ("VOELGOED__LIMITS__PLACES_PER_ADDRESS_MAX".to_owned(), "100000000".to_owned()),
            ("VOELGOED__LIMITS__READ_BURST".to_owned(), "100000000".to_owned()),
        ],
        time_scale: 0.2,
    })
    .await?;
    let organizer = Organizer::of(&platform.url, &platform.card)?;
    let event = organizer.make_event("Rolling", 1, 100_000).await?;
    let crowd = Crowd::gather(&platform.url, &event, BUYERS)?;
    for round in 0..if long { 3 } else { 1 } {
        for at in 0..platform.nodes.len() {
            let watch = Instant::now();
            balanced(&platform).await?;
            platform.nodes[at].stop().await?;
            platform.nodes[at].start().await?;
            platform.nodes[at].ready().await?;
            platform.note()?;
            println!(
                "round {round}: {} was restarted in {:.1} s",
                platform.nodes[at].name,
                watch.elapsed().as_secs_f64()
            );
        }
    }
    let tally = crowd.disperse().await;
    let (good, orders, dropped) = (tally.good.load(Ordering::Relaxed), tally.orders().len(), tally.dropped());
    println!("{good} requests were answered, {} were not; {orders} orders", dropped.len());
    let outcome = match dropped.first() {
        None if orders > 0 => Ok(()),
        None => Err(anyhow::anyhow!("nobody ordered anything")),
        Some(first) => Err(anyhow::anyhow!("{} were dropped, the first: {first}", dropped.len())),
    };
    verdicts.judge("a rolling restart behind HAProxy drops no request", outcome);
    let sold = until("every acknowledged order is paid", SOON, || async {
        let listed = organizer.orders(&event.id).await?;
        ensure!(listed.len() == orders, "{orders} were acknowledged, {} are listed", listed.len());
        Ok(listed.iter().all(|order| order["state"] == "paid").then_some(()))
    });
    verdicts.judge("what was acknowledged meanwhile is paid, and nothing else is", sold.await);
    platform.stop().await
}

/// Waits until HAProxy sends to every node that serves: a node that is ready is not yet used.
pub async fn balanced(platform: &Platform) -> anyhow::Result<()> {
    let client = Client::new(&platform.url)?;
    let serving: Vec<_> = platform.nodes.iter().filter(|node| node.serves()).collect();
    let mut before = Vec::new();
    for node in &serving {
        before.push(looks(&node.operator()?.text("/metrics").await?));
    }
    until("HAProxy uses every node", SOON, || async {
        for _ in 0..serving.len() * 8 {
            client.call(Method::GET, "/livez", Call::default()).await?;
        }
        for (node, before) in serving.iter().zip(&before) {
            if looks(&node.operator()?.text("/metrics").await?) <= *before {
                return Ok(None);
            }
        }
        Ok(Some(()))
    })
    .await
}

/// How often a node was asked whether it lives, by its own metric; HAProxy itself asks something else.
fn looks(metrics: &str) -> f64 {
    let lines = metrics.lines().filter(|line| line.starts_with("voelgoed_http_requests_total{"));
    let lines = lines.filter(|line| line.contains("route=\"/livez\""));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}
