//! Empties the warm tier again and again at the peak of a sale of 60,000 seats while buyers at two nodes compete for every seat: nothing is oversold
//! (P1), and each node soon grants holds again.
//!
//! A sample lasts from just before `FLUSHALL` is sent until the slower node has granted a hold that was requested after the reply to it.
//! Figures are printed; `cargo xtask bench` compares them.

mod checks;
mod seat_race;

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use voelgoed_stress::latency::Latencies;
use voelgoed_stress::measures::Measures;
use voelgoed_stress::sale::{STADIUM, SaleEvent};
use voelgoed_testkit::cluster::{ClusterPlan, RedisTier, TestCluster, clear_root};
use voelgoed_testkit::limits::unlimited_with;
use voelgoed_testkit::organizer::TestOrganizer;
use voelgoed_testkit::report::SuiteReport;
use voelgoed_testkit::until::until;

use self::seat_race::SeatRace;
use crate::NodesCli;

/// Options of `flush`.
#[derive(Debug, Clone, Args)]
pub struct FlushOptions {
    /// How often the warm tier is emptied.
    #[arg(long, default_value_t = 100)]
    pub flushes: usize,
    /// Seats that are sold before the first flush, which a rebuild has to read.
    #[arg(long, default_value_t = 30_000)]
    pub sold: usize,
    /// On a Redis Cluster instead of one server.
    #[arg(long)]
    pub cluster: bool,
}

impl FlushOptions {
    /// The short run of `check`.
    pub const fn smoke() -> Self {
        Self { flushes: 3, sold: 1_000, cluster: false }
    }
}

/// Each waits for responses.
const BUYERS_PER_NODE: usize = 12;
/// Between a recovery and the next flush; longer each time, so that rebuilds meet the sale at different moments.
const FLUSH_PAUSE: Duration = Duration::from_millis(700);
const FLUSH_PAUSE_STEP: Duration = Duration::from_millis(13);
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(60);

/// Sells, flushes, checks the sale, and prints the measurements.
pub async fn run(nodes: &NodesCli, options: &FlushOptions, report: &mut SuiteReport) -> anyhow::Result<()> {
    let root = nodes.root.join("flush");
    clear_root(&root)?;
    let platform = TestCluster::start(ClusterPlan {
        binary: nodes.binary.canonicalize()?,
        root,
        roles: vec!["web", "web", "worker"],
        redis_cluster: options.cluster,
        replica: false,
        haproxy: None,
        environment: unlimited_with(&[]),
        time_scale: 0.2,
    })
    .await?;
    let addresses: Vec<String> = platform.serving().map(|node| node.address.clone()).collect();
    let sale_event = SaleEvent::read(&addresses[0], &platform.card, STADIUM).await?;
    ensure!(options.sold + 1_000 < sale_event.seats.len(), "seats must be left for the peak");
    let mut race = SeatRace::new(&addresses, sale_event, BUYERS_PER_NODE).await?;
    let start = Instant::now();
    race.sell(options.sold).await?;
    println!("{} of the seats were ordered in {:.1} s", options.sold, start.elapsed().as_secs_f64());
    race.start();
    let outages = flush_repeatedly(&platform.redis, &race, options.flushes).await;
    let record = race.finish().await?;
    println!("{record}");
    let mut measures = Measures::default();
    if let Ok(outages) = &outages {
        for (name, percent) in [("p50", 50.0), ("p99", 99.0), ("most", 100.0)] {
            measures.add(format!("flush to the next hold at each node, {name}"), "ms", outages.millis(percent));
        }
        measures.add("holds granted meanwhile", "1/s", record.granted as f64 / record.took.as_secs_f64());
        measures.print();
    }
    let all = outages.and_then(|outages| {
        ensure!(outages.count() == options.flushes as u64, "{} of {} flushes", outages.count(), options.flushes);
        Ok(())
    });
    report.check("both nodes sell again each time the warm tier is emptied at the peak", all);
    report.check("no request fails while the warm tier is rebuilt", record.check_no_failure());
    let organizer = TestOrganizer::of_demo(&platform.nodes[0].url(), &platform.card)?;
    checks::check_sale(&organizer, &record, report).await;
    platform.stop().await
}

/// Empties the warm tier `count` times, and measures how long both nodes needed to sell again.
async fn flush_repeatedly(redis: &RedisTier, race: &SeatRace, count: usize) -> anyhow::Result<Latencies> {
    let mut outages = Latencies::default();
    for number in 0..count {
        tokio::time::sleep(FLUSH_PAUSE + FLUSH_PAUSE_STEP * u32::try_from(number % 20)?).await;
        let before = Instant::now();
        flush_all(redis).await?;
        let after = Instant::now();
        let granted =
            until("holds at each node", RECOVERY_TIMEOUT, || async { Ok(race.granted_at_every_node(after)) }).await?;
        let outage = granted - before;
        println!("flush {}: holds at each node again after {} ms", number + 1, outage.as_millis());
        outages.record(outage);
    }
    Ok(outages)
}

/// Empties every master; replicas refuse the command and follow their master.
async fn flush_all(redis: &RedisTier) -> anyhow::Result<()> {
    let mut emptied = 0;
    for server in &redis.servers {
        let mut stream = TcpStream::connect(&server.address).await?;
        stream.write_all(b"FLUSHALL\r\n").await?;
        let mut reply = [0; 64];
        let size = stream.read(&mut reply).await?;
        match reply.get(..size).context("a reply")? {
            b"+OK\r\n" => emptied += 1,
            other => ensure!(other.starts_with(b"-READONLY"), "{}", String::from_utf8_lossy(other)),
        }
    }
    ensure!(emptied > 0, "no server is a master");
    Ok(())
}
