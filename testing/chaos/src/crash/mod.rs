//! kill -9 again and again while people buy, pay, scan and give back: what was acknowledged stays, once (P3, P6).
//!
//! The clients keep their own journal of what they were told. After each restart a part of it, and at the end all of it, is compared with the server.

mod audit;
mod crowd;
mod journal;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::watch;
use tokio::task::JoinSet;
use voelgoed_testkit::client::Client;
use voelgoed_testkit::organizer::Organizer;
use voelgoed_testkit::scanner::Scanner;
use voelgoed_testkit::server::{Server, Setup, fresh_directory};

use self::crowd::Crowd;
use self::journal::Journal;
use voelgoed_testkit::verdict::Verdicts;

/// How much is killed.
#[derive(Debug, Args)]
pub struct Options {
    /// Kills of the server.
    #[arg(long, default_value_t = 50)]
    kills: u32,
    /// Decides when; printed, so that a run can be had again.
    #[arg(long)]
    seed: Option<u64>,
}

/// Buyers, scanners and organizers at once.
const BUYERS: usize = 24;
const SCANNERS: usize = 3;
const REFUNDERS: usize = 1;
/// Seats and general-admission places: more than a run can sell.
const SEATS: u32 = 2_000;
const GENERAL: u32 = 20_000;
/// Load between a restart and the next kill, in milliseconds.
const BETWEEN: std::ops::Range<u64> = 300..2_500;

/// Runs the suite.
pub async fn run(binary: &Path, root: &Path, options: &Options, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let seed = options.seed.unwrap_or_else(|| rand::rng().random());
    println!("seed {seed}");
    let mut dice = StdRng::seed_from_u64(seed);
    let many = || "100000000".to_owned();
    let environment = vec![
        ("VOELGOED__LIMITS__ADDRESS_BURST", many()),
        ("VOELGOED__LIMITS__HOLD_BURST", many()),
        ("VOELGOED__LIMITS__PLACES_PER_ADDRESS_MAX", many()),
        ("VOELGOED__LIMITS__READ_BURST", many()),
        ("VOELGOED__LIMITS__SESSION_BURST", many()),
        ("VOELGOED__SALE__HOLD", "10s".to_owned()),
        ("VOELGOED__SALE__EXTENSION", "10s".to_owned()),
        ("VOELGOED__SALE__POLL_EVERY", "1s".to_owned()),
        ("VOELGOED__LOG__FILTER", "warn".to_owned()),
    ];
    let setup = Setup { binary: binary.to_owned(), data: fresh_directory(root, "crash")?, environment };
    let mut server = Server::start(setup).await?;
    let organizer = Organizer::of(&server.url(), &server.card)?;
    let event = organizer.make_event("Crash", SEATS, GENERAL).await?;
    let scanner = Scanner::pair(&organizer, &event).await?;
    let journal = Arc::new(Journal::default());
    let (stop, stopped) = watch::channel(false);
    let crowd =
        Crowd { event: event.clone(), organizer: organizer.clone(), scanner, journal: Arc::clone(&journal), stopped };
    let mut people = JoinSet::new();
    for number in 0..BUYERS {
        let client = Client::from_address(&server.url(), u8::try_from(number + 1)?)?;
        people.spawn(crowd.clone().buy(client, StdRng::seed_from_u64(dice.random()), u32::try_from(number)?));
    }
    for _ in 0..SCANNERS {
        people.spawn(crowd.clone().admit(StdRng::seed_from_u64(dice.random())));
    }
    for _ in 0..REFUNDERS {
        people.spawn(crowd.clone().give_back());
    }
    let watch = Instant::now();
    let mut lost = Vec::new();
    let mut slowest = Duration::ZERO;
    for kill in 1..=options.kills {
        tokio::time::sleep(Duration::from_millis(dice.random_range(BETWEEN))).await;
        server.kill().await?;
        let restart = Instant::now();
        server.rise().await?;
        slowest = slowest.max(restart.elapsed());
        lost.extend(audit::after_restart(&organizer, &journal).await?);
        println!("kill {kill} at {:.1} s: {journal}; {} lost", watch.elapsed().as_secs_f64(), lost.len());
    }
    tokio::time::sleep(Duration::from_millis(dice.random_range(BETWEEN))).await;
    stop.send_replace(true);
    while let Some(ended) = people.join_next().await {
        if let Err(error) = ended? {
            verdicts.judge("everybody gets an answer in the end", Err(error));
        }
    }
    println!(
        "{} kills in {:.1} s, slowest restart {:.1} s; acknowledged: {journal}",
        options.kills,
        watch.elapsed().as_secs_f64(),
        slowest.as_secs_f64()
    );
    let outcome = if lost.is_empty() { Ok(()) } else { Err(anyhow::anyhow!("{lost:?}")) };
    verdicts.judge("after each restart: nothing acknowledged was lost", outcome);
    audit::at_the_end(&server, &organizer, &crowd, &journal, verdicts).await?;
    server.stop().await
}
