//! Breaks every part again and again while two organizations sell, scan and refund on two nodes over a real Redis and a real Postgres (P1–P7).
//!
//! A seed determines what is broken and when. Clients record their responses; once all parts have recovered, the records are compared with the server.

mod checks;
mod inject;
mod people;
mod platform;
mod record;
mod schedule;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::watch;
use tokio::task::JoinSet;
use voelgoed_testkit::report::SuiteReport;
use voelgoed_testkit::scanner::TestScanner;

use self::people::StormPeople;
use self::platform::StormPlatform;
use self::record::StormRecord;
use self::schedule::schedule;

/// Options of `storm`.
#[derive(Debug, Args)]
pub struct StormOptions {
    /// How many faults are injected.
    #[arg(long, default_value_t = 300)]
    injections: usize,
    /// Decides what is broken and when; printed, so that a schedule can be repeated.
    #[arg(long)]
    seed: Option<u64>,
    /// Only kinds whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
}

/// Concurrent clients of each organization.
const BUYERS: usize = 7;
const SCANNERS: usize = 2;
/// Seats that buyers compete for, and places of the floor: more than a run can sell.
const SEATS: u32 = 400;
const GENERAL: u32 = 20_000;

/// Runs the suite.
pub async fn run(binary: &Path, root: &Path, options: &StormOptions, report: &mut SuiteReport) -> anyhow::Result<()> {
    let seed = options.seed.unwrap_or_else(|| rand::rng().random());
    println!("seed {seed}");
    let plan = schedule(StdRng::seed_from_u64(seed), options.injections, &options.only);
    let mut random = StdRng::seed_from_u64(seed.wrapping_add(1));
    let mut platform = StormPlatform::start(binary, root).await?;
    let (stop, stopped) = watch::channel(false);
    let mut organizations = [people(&platform, "north", &stopped).await?, people(&platform, "south", &stopped).await?];
    let keys = [organizations[0].organizer.key.clone(), organizations[1].organizer.key.clone()];
    let mut running = JoinSet::new();
    for (people, key) in organizations.iter_mut().zip(keys.into_iter().rev()) {
        people.foreign_key = key;
        for _ in 0..BUYERS {
            running.spawn(people.clone().buy(StdRng::seed_from_u64(random.random())));
        }
        for _ in 0..SCANNERS {
            running.spawn(people.clone().scan(StdRng::seed_from_u64(random.random())));
        }
        running.spawn(people.clone().refund(StdRng::seed_from_u64(random.random())));
    }
    let start = Instant::now();
    for (number, injection) in plan.iter().enumerate() {
        tokio::time::sleep(injection.pause).await;
        println!("{} at {:.1} s: {injection}", number + 1, start.elapsed().as_secs_f64());
        platform.inject(injection).await?;
    }
    let recovered = platform.recover().await;
    let took = start.elapsed().as_secs_f64();
    println!("{} injections in {took:.1} s; nodes ended by themselves {} times", plan.len(), platform.node_ends);
    report.check("every node is ready again", recovered);
    stop.send_replace(true);
    let mut ends = Vec::new();
    while let Some(ended) = running.join_next().await {
        ends.extend(ended?.err().map(|error| format!("{error:#}")));
    }
    let answered = if ends.is_empty() { Ok(()) } else { Err(anyhow::anyhow!("{ends:?}")) };
    report.check("every request gets a response in the end", answered);
    let [north, south] = &organizations;
    let (north_settled, south_settled) =
        tokio::join!(checks::wait_until_settled(north), checks::wait_until_settled(south));
    checks::check_organization("north", north, north_settled, &platform.data, report).await?;
    checks::check_organization("south", south, south_settled, &platform.data, report).await?;
    checks::check_isolation("north", north, south, report).await;
    checks::check_isolation("south", south, north, report).await;
    Ok(())
}

/// Makes an organization with an event and a gate.
async fn people(platform: &StormPlatform, name: &str, stopped: &watch::Receiver<bool>) -> anyhow::Result<StormPeople> {
    let organizer = platform.organization(name).await?;
    let event = organizer.make_event(name, SEATS, GENERAL).await?;
    let scanner = TestScanner::pair(&organizer, &event).await?;
    let nodes = platform.clients()?;
    Ok(StormPeople {
        event,
        organizer,
        scanner,
        record: Arc::new(StormRecord::default()),
        nodes,
        next_seat: Arc::default(),
        warm_losses: Arc::clone(&platform.warm_losses),
        foreign_key: String::new(),
        stopped: stopped.clone(),
    })
}
