//! The warm tier is emptied at the peak of a sale of 60,000 seats, again and again, while buyers at two nodes fight for every seat: nothing is
//! oversold (P1), and holds are granted again within moments at each node.
//!
//! A sample counts from just before `FLUSHALL` was sent until the slower node has granted a hold that was asked for after it was answered.
//! Figures are printed; `cargo xtask bench` judges them.

mod crowd;
mod judge;

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use voelgoed_stress::latency::Latencies;
use voelgoed_stress::measure::Measures;
use voelgoed_stress::sale::{STADIUM, Show};
use voelgoed_testkit::cluster::{Plan, Platform, Redis, end_leftovers};
use voelgoed_testkit::organizer::Organizer;
use voelgoed_testkit::until::until;
use voelgoed_testkit::verdict::Verdicts;

use self::crowd::Crowd;
use crate::Nodes;

/// How much is flushed.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// How often the warm tier is emptied.
    #[arg(long, default_value_t = 100)]
    pub flushes: usize,
    /// Seats that are sold before the first time: what a rebuild has to read.
    #[arg(long, default_value_t = 30_000)]
    pub sold: usize,
    /// On a Redis Cluster instead of one server.
    #[arg(long)]
    pub cluster: bool,
}

impl Options {
    /// What `check` runs.
    pub const fn smoke() -> Self {
        Self { flushes: 3, sold: 1_000, cluster: false }
    }
}

/// Buyers at each node, each of whom waits for answers.
const BUYERS: usize = 12;
/// Between a recovery and the next flush; a little longer each time, so that rebuilds meet the sale at other moments.
const PEAK: Duration = Duration::from_millis(700);
const PEAK_DRIFT: Duration = Duration::from_millis(13);
/// A warm tier that comes back comes back within this.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sells, flushes, judges; prints what was measured.
pub async fn run(nodes: &Nodes, options: &Options, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let root = nodes.root.join("flush");
    if root.exists() {
        end_leftovers(&root.canonicalize()?)?;
        std::fs::remove_dir_all(&root)?;
    }
    let platform = Platform::start(Plan {
        binary: nodes.binary.canonicalize()?,
        root,
        roles: vec!["web", "web", "worker"],
        redis_cluster: options.cluster,
        replica: false,
        haproxy: None,
        environment: crate::wide(),
        time_scale: 0.2,
    })
    .await?;
    let serving = platform.nodes.iter().filter(|node| node.serves());
    let addresses: Vec<String> = serving.map(|node| node.address.clone()).collect();
    let show = Show::at(&addresses[0], &platform.card, STADIUM).await?;
    ensure!(options.sold + 1_000 < show.seats.len(), "seats must be left for the peak");
    let mut crowd = Crowd::new(&addresses, show, BUYERS).await?;
    let watch = Instant::now();
    crowd.sell(options.sold).await?;
    println!("{} of the seats were ordered in {:.1} s", options.sold, watch.elapsed().as_secs_f64());
    crowd.gather();
    let outages = flushes(&platform.redis, &crowd, options.flushes).await;
    let tally = crowd.disperse().await?;
    println!("{tally}");
    let mut measures = Measures::default();
    if let Ok(outages) = &outages {
        for (name, percent) in [("p50", 50.0), ("p99", 99.0), ("most", 100.0)] {
            measures.add(format!("flush to the next hold at each node, {name}"), "ms", outages.millis(percent));
        }
        measures.add("holds granted meanwhile", "1/s", tally.granted as f64 / tally.took.as_secs_f64());
        measures.print();
    }
    let all = outages.and_then(|outages| {
        ensure!(outages.count() == options.flushes as u64, "{} of {} flushes", outages.count(), options.flushes);
        Ok(())
    });
    verdicts.judge("each time the warm tier is emptied at the peak both nodes sell again", all);
    verdicts.judge("nobody meets a fault while it is loaded", tally.no_fault());
    let organizer = Organizer::of(&platform.nodes[0].url(), &platform.card)?;
    judge::sale(&organizer, &tally, verdicts).await;
    platform.stop().await
}

/// Empties the warm tier so many times; how long each time until both nodes sold again.
async fn flushes(redis: &Redis, crowd: &Crowd, count: usize) -> anyhow::Result<Latencies> {
    let mut outages = Latencies::default();
    for number in 0..count {
        tokio::time::sleep(PEAK + PEAK_DRIFT * u32::try_from(number % 20)?).await;
        let before = Instant::now();
        flush_all(redis).await?;
        let after = Instant::now();
        let granted = until("holds at each node", PATIENCE, || async { Ok(crowd.granted_everywhere(after)) }).await?;
        let outage = granted - before;
        println!("flush {}: holds at each node again after {} ms", number + 1, outage.as_millis());
        outages.record(outage);
    }
    Ok(outages)
}

/// Empties every master; replicas refuse, and follow theirs.
async fn flush_all(redis: &Redis) -> anyhow::Result<()> {
    let mut emptied = 0;
    for server in &redis.servers {
        let mut stream = TcpStream::connect(&server.address).await?;
        stream.write_all(b"FLUSHALL\r\n").await?;
        let mut answer = [0; 64];
        let size = stream.read(&mut answer).await?;
        match answer.get(..size).context("an answer")? {
            b"+OK\r\n" => emptied += 1,
            other => ensure!(other.starts_with(b"-READONLY"), "{}", String::from_utf8_lossy(other)),
        }
    }
    ensure!(emptied > 0, "no server is a master");
    Ok(())
}
