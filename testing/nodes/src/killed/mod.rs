//! Kills a node under load behind HAProxy, and measures the goodput that remains and what the node's viewers missed.
//!
//! A closed loop measures the capacity of the platform; then an open loop sends buyers at half of it, and one of three web nodes is killed with
//! SIGKILL. Figures are printed; `cargo xtask bench` compares them.

mod load;
mod viewers;

use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Args;
use voelgoed_stress::measures::Measures;
use voelgoed_stress::sale::{STADIUM, SaleEvent};
use voelgoed_testkit::cluster::{ClusterPlan, TestCluster, clear_root};
use voelgoed_testkit::limits::unlimited_with;
use voelgoed_testkit::organizer::TestOrganizer;
use voelgoed_testkit::report::SuiteReport;
use voelgoed_testkit::until::until;

use self::load::{Goodput, KilledNodeLoad};
use self::viewers::ReconnectingViewers;
use crate::NodesCli;

/// Options of `killed`.
#[derive(Debug, Clone, Args)]
pub struct KilledOptions {
    /// Nodes killed, one after the other; each comes back before the next.
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// Seconds in which the capacity is measured, before the kill, and from three seconds after it on.
    #[arg(long, default_value_t = 8)]
    pub seconds: u64,
    /// Viewers of the map.
    #[arg(long, default_value_t = 60)]
    pub viewers: usize,
}

impl KilledOptions {
    /// The short run of `check`.
    pub const fn smoke() -> Self {
        Self { rounds: 1, seconds: 2, viewers: 12 }
    }
}

/// The other nodes have taken over by then.
const TAKEOVER_TIME: Duration = Duration::from_secs(3);
/// For everything that another process does.
const PROCESS_TIMEOUT: Duration = Duration::from_secs(60);
/// The share of the capacity at which the open loop sends buyers.
const LOAD_SHARE: f64 = 0.5;

/// Measures, kills, checks, and prints the measurements.
pub async fn run(nodes: &NodesCli, options: &KilledOptions, report: &mut SuiteReport) -> anyhow::Result<()> {
    let root = nodes.root.join("killed");
    clear_root(&root)?;
    let mut platform = TestCluster::start(ClusterPlan {
        binary: nodes.binary.canonicalize()?,
        root,
        roles: vec!["web", "web", "web", "worker"],
        redis_cluster: false,
        replica: false,
        haproxy: Some(nodes.haproxy.canonicalize()?),
        environment: unlimited_with(&[]),
        time_scale: 0.2,
    })
    .await?;
    crate::rolling::wait_until_balanced(&platform).await?;
    let address = platform.url.trim_start_matches("http://").to_owned();
    let sale_event = SaleEvent::read(&address, &platform.card, STADIUM).await?;
    let event = sale_event.event.clone();
    let mut load = KilledNodeLoad::new(address, sale_event).await?;
    let part = Duration::from_secs(options.seconds);
    let capacity = load.capacity(part).await?;
    println!("at most {capacity:.0} buyers per second are served");
    let mut measures = Measures::default();
    let mut viewing = Ok(());
    for round in 0..options.rounds {
        let viewers =
            ReconnectingViewers::open(&platform.url, &platform.nodes[2].url(), &event, options.viewers).await?;
        let goodput =
            kill_under_load(&mut platform, &mut load, &viewers, capacity * LOAD_SHARE, part, round % 2).await?;
        let resumed = viewers.close(platform.nodes[2].client(), &event).await;
        println!("round {round}: {goodput}");
        add(&mut measures, capacity, &goodput);
        match resumed {
            Ok(resumed) => {
                println!("round {round}: {resumed}");
                if let Some(last) = resumed.last_resumed_after {
                    measures.add("a viewer's next frame after the kill, the last", "ms", last.as_secs_f64() * 1e3);
                }
            }
            Err(error) => viewing = Err(error),
        }
        crate::rolling::wait_until_balanced(&platform).await?;
    }
    measures.print();
    report.check("the viewers of a killed node resume elsewhere without a gap", viewing);
    let organizer = TestOrganizer::of_demo(&platform.nodes[2].url(), &platform.card)?;
    report.check("every order acknowledged meanwhile is paid", all_paid(&organizer, &event, &load).await);
    report.check("the ledger balances", organizer.balanced_ledger().await.map(drop));
    platform.stop().await
}

/// Sends buyers for `part`, kills a node, sends buyers for [`TAKEOVER_TIME`] and another `part`, and starts the node again.
async fn kill_under_load(
    platform: &mut TestCluster,
    load: &mut KilledNodeLoad,
    viewers: &ReconnectingViewers,
    per_second: f64,
    part: Duration,
    victim: usize,
) -> anyhow::Result<Goodput> {
    let running = load.open(per_second, part * 2 + TAKEOVER_TIME);
    tokio::time::sleep(part).await;
    viewers.note_kill();
    let killed = Instant::now();
    platform.nodes[victim].kill()?;
    let visits = running.await??;
    platform.nodes[victim].start().await?;
    platform.nodes[victim].ready().await?;
    platform.write_pids()?;
    load.add_orders(&visits);
    Ok(Goodput::measure(&visits, per_second, killed, part))
}

fn add(measures: &mut Measures, capacity: f64, goodput: &Goodput) {
    measures.add("buyers served at most", "1/s", capacity);
    measures.add("buyers who came", "1/s", goodput.offered);
    measures.add("goodput before the kill", "1/s", goodput.before);
    measures.add("goodput from 3 s after it on", "1/s", goodput.after);
    measures.add("goodput after / before", "", goodput.after / goodput.before);
    measures.add("until goodput stays at 0.95", "s", goodput.recovered.as_secs_f64());
    measures.add("buyers not served", "", goodput.failed as f64);
}

/// Waits until every acknowledged order is listed and paid.
async fn all_paid(organizer: &TestOrganizer, event: &str, load: &KilledNodeLoad) -> anyhow::Result<()> {
    until("every acknowledged order is paid", PROCESS_TIMEOUT, || async {
        let orders = organizer.orders(event).await?;
        let paid = |id: &&String| orders.iter().any(|order| order["id"] == id.as_str() && order["state"] == "paid");
        ensure!(!load.orders().is_empty(), "no order was placed");
        Ok(load.orders().iter().all(|id| paid(&id)).then_some(()))
    })
    .await
}
