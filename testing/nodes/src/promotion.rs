//! Kills the primary of Postgres under load and promotes its synchronous standby as in docs/runbooks/promotion.md: no acknowledged order is lost, the nodes
//! sell again after a restart with the new address, and `doctor` reports before and after what a promotion would lose.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::ensure;
use voelgoed_testkit::cluster::{ClusterPlan, TestCluster, clear_root};
use voelgoed_testkit::limits::unlimited_with;
use voelgoed_testkit::organizer::{TestEvent, TestOrganizer};
use voelgoed_testkit::report::SuiteReport;
use voelgoed_testkit::until::until;

use crate::NodesCli;
use crate::buyer_load::BuyerLoad;

const BUYERS: usize = 8;
/// Orders acknowledged before the primary is killed, and again after the promotion.
const ORDERS: usize = 60;
/// For everything that another process does.
const PROCESS_TIMEOUT: Duration = Duration::from_secs(90);

/// Sells, kills the primary, promotes the standby, and sells again.
pub async fn run(nodes: &NodesCli, report: &mut SuiteReport) -> anyhow::Result<()> {
    let root = nodes.root.join("promotion");
    clear_root(&root)?;
    let mut platform = TestCluster::start(ClusterPlan {
        binary: nodes.binary.canonicalize()?,
        root,
        roles: vec!["web", "web", "worker"],
        redis_cluster: false,
        replica: true,
        haproxy: Some(nodes.haproxy.canonicalize()?),
        environment: unlimited_with(&[]),
        time_scale: 0.2,
    })
    .await?;
    report.check(
        "doctor reports what a promotion loses without a synchronous standby",
        check_doctor(&platform, "none (").await,
    );
    platform.postgres.make_synchronous().await?;
    report.check("doctor reports what it may not read", check_doctor(&platform, "grant pg_monitor").await);
    platform.postgres.grant_monitor().await?;
    report.check("doctor reports that a promotion loses nothing", check_doctor(&platform, "lacks nothing").await);
    let organizer = TestOrganizer::of_demo(&platform.url, &platform.card)?;
    let event = organizer.make_event("Promotion", 1, 100_000).await?;
    let mut acknowledged = sell(&platform, &event, true).await?;
    let start = Instant::now();
    let address = platform.postgres.promote().await?;
    for node in &mut platform.nodes {
        node.set_environment("VOELGOED__COLD__URL", &address);
        node.set_environment("VOELGOED__COLD__REPLICAS", "");
        // A node that cannot drain without its store is ended by its supervisor; it is started again all the same.
        if let Err(error) = node.stop().await {
            println!("{error:#}");
        }
        node.start().await?;
        node.ready().await?;
    }
    platform.write_pids()?;
    println!("promoted, and every node is ready again, after {:.1} s", start.elapsed().as_secs_f64());
    crate::rolling::wait_until_balanced(&platform).await?;
    acknowledged.extend(sell(&platform, &event, false).await?);
    let paid = until("every acknowledged order is paid", PROCESS_TIMEOUT, || async {
        let listed = organizer.orders(&event.id).await?;
        let paid_orders =
            listed.iter().filter(|order| order["state"] == "paid").filter_map(|order| order["id"].as_str());
        let paid: BTreeSet<&str> = paid_orders.collect();
        Ok(acknowledged.iter().all(|order| paid.contains(order.as_str())).then_some(()))
    });
    report.check("a promotion loses no acknowledged order, and all of them are paid", paid.await);
    report.check("the ledger balances", organizer.balanced_ledger().await.map(drop));
    report.check("doctor reports that there is no standby any more", check_doctor(&platform, "none (0").await);
    platform.stop().await
}

/// Runs a load until enough orders are acknowledged, and kills the primary under it on request.
async fn sell(platform: &TestCluster, event: &TestEvent, kill: bool) -> anyhow::Result<Vec<String>> {
    let load = BuyerLoad::start(&platform.url, event, BUYERS)?;
    let enough = until("orders are acknowledged", PROCESS_TIMEOUT, || async {
        Ok((load.record.orders().len() >= ORDERS).then_some(()))
    });
    enough.await?;
    if kill {
        platform.postgres.primary.signal("-KILL")?;
        until("requests fail", PROCESS_TIMEOUT, || async { Ok(load.record.failures().first().cloned()) }).await?;
    }
    let record = load.finish().await;
    let (orders, failures) = (record.orders(), record.failures());
    println!("{} orders were acknowledged, {} requests failed", orders.len(), failures.len());
    ensure!(kill || failures.is_empty(), "the first: {}", failures[0]);
    Ok(orders)
}

/// Checks the line of `voelgoed doctor` about standbys.
async fn check_doctor(platform: &TestCluster, words: &str) -> anyhow::Result<()> {
    let output = platform.nodes[0].run(&["doctor"]).await?;
    let line = output.lines().find(|line| line.starts_with("synchronous standby")).unwrap_or_default();
    println!("{line}");
    ensure!(line.contains(words), "`{words}` is not in: {output}");
    Ok(())
}
