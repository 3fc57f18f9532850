//! Kills the server (SIGKILL) again and again while clients buy, pay, scan and refund: everything acknowledged remains, exactly once (P3, P6).
//!
//! The clients record their responses. After each restart the latest records, and at the end all of them, are compared with the server.

mod audit;
mod people;
mod record;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::watch;
use tokio::task::JoinSet;
use voelgoed_testkit::http_client::ApiClient;
use voelgoed_testkit::limits::unlimited_with;
use voelgoed_testkit::organizer::TestOrganizer;
use voelgoed_testkit::report::SuiteReport;
use voelgoed_testkit::scanner::TestScanner;
use voelgoed_testkit::server::{ServerCommand, ServerOptions, TestServer, empty_directory};

use self::people::CrashPeople;
use self::record::CrashRecord;

/// Options of `crash`.
#[derive(Debug, Args)]
pub struct CrashOptions {
    /// Kills of the server.
    #[arg(long, default_value_t = 50)]
    kills: u32,
    /// Decides when the server is killed; printed, so that a run can be repeated.
    #[arg(long)]
    seed: Option<u64>,
}

/// Concurrent clients.
const BUYERS: usize = 24;
const SCANNERS: usize = 3;
const REFUNDERS: usize = 1;
/// Seats and general-admission places: more than a run can sell.
const SEATS: u32 = 2_000;
const GENERAL: u32 = 20_000;
/// Load between a restart and the next kill.
const KILL_PAUSE_MILLIS: std::ops::Range<u64> = 300..2_500;

/// Runs the suite.
pub async fn run(binary: &Path, root: &Path, options: &CrashOptions, report: &mut SuiteReport) -> anyhow::Result<()> {
    let seed = options.seed.unwrap_or_else(|| rand::rng().random());
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let server_options = ServerOptions::new(binary, ServerCommand::Demo, &empty_directory(root, "crash")?);
    let server_options = server_options.with_environment(unlimited_with(&[
        ("VOELGOED__SALE__HOLD", "10s"),
        ("VOELGOED__SALE__EXTENSION", "10s"),
        ("VOELGOED__SALE__POLL_EVERY", "1s"),
        ("VOELGOED__LOG__FILTER", "warn"),
    ]));
    let mut server = TestServer::started(server_options).await?;
    let organizer = TestOrganizer::of_demo(&server.url(), &server.card)?;
    let event = organizer.make_event("Crash", SEATS, GENERAL).await?;
    let scanner = TestScanner::pair(&organizer, &event).await?;
    let record = Arc::new(CrashRecord::default());
    let (stop, stopped) = watch::channel(false);
    let people = CrashPeople {
        event: event.clone(),
        organizer: organizer.clone(),
        scanner,
        record: Arc::clone(&record),
        stopped,
    };
    let mut running = JoinSet::new();
    for number in 0..BUYERS {
        let client = ApiClient::from_address(&server.url(), u8::try_from(number + 1)?)?;
        running.spawn(people.clone().buy(client, StdRng::seed_from_u64(random.random()), u32::try_from(number)?));
    }
    for _ in 0..SCANNERS {
        running.spawn(people.clone().scan(StdRng::seed_from_u64(random.random())));
    }
    for _ in 0..REFUNDERS {
        running.spawn(people.clone().refund());
    }
    let start = Instant::now();
    let mut lost = Vec::new();
    let mut slowest = Duration::ZERO;
    for kill in 1..=options.kills {
        tokio::time::sleep(Duration::from_millis(random.random_range(KILL_PAUSE_MILLIS))).await;
        server.kill()?;
        let restart = Instant::now();
        server.start().await?;
        slowest = slowest.max(restart.elapsed());
        lost.extend(audit::after_restart(&organizer, &record).await?);
        println!("kill {kill} at {:.1} s: {record}; {} lost", start.elapsed().as_secs_f64(), lost.len());
    }
    tokio::time::sleep(Duration::from_millis(random.random_range(KILL_PAUSE_MILLIS))).await;
    stop.send_replace(true);
    while let Some(ended) = running.join_next().await {
        if let Err(error) = ended? {
            report.check("every request gets a response in the end", Err(error));
        }
    }
    println!(
        "{} kills in {:.1} s, slowest restart {:.1} s; acknowledged: {record}",
        options.kills,
        start.elapsed().as_secs_f64(),
        slowest.as_secs_f64()
    );
    let outcome = if lost.is_empty() { Ok(()) } else { Err(anyhow::anyhow!("{lost:?}")) };
    report.check("after each restart nothing acknowledged is lost", outcome);
    audit::at_the_end(&server, &organizer, &people, report).await?;
    server.stop().await
}
