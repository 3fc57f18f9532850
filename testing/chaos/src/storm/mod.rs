//! Everything is broken again and again while two organizations sell, admit and give back on two nodes over a real Redis and a real Postgres (P1–P7).
//!
//! A seed draws what is broken and when. Clients keep journals of what they were told; once all is healthy and drained, they are the judge.

mod journal;
mod judge;
mod people;
pub mod process;
mod schedule;
mod stage;
mod strike;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::watch;
use tokio::task::JoinSet;
use voelgoed_testkit::client::Client;
use voelgoed_testkit::scanner::Scanner;

use self::journal::Journal;
use self::people::People;
use self::schedule::schedule;
use self::stage::Stage;
use voelgoed_testkit::verdict::Verdicts;

/// How much is broken.
#[derive(Debug, Args)]
pub struct Options {
    /// Injections.
    #[arg(long, default_value_t = 300)]
    injections: usize,
    /// Decides what is broken and when; printed, so that a schedule can be had again.
    #[arg(long)]
    seed: Option<u64>,
    /// Only kinds whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
}

/// Of each organization, at once.
const BUYERS: usize = 7;
const SCANNERS: usize = 2;
/// Seats that buyers fight for, and places of the floor: more than a run can sell.
const SEATS: u32 = 400;
const GENERAL: u32 = 20_000;

/// Runs the suite.
pub async fn run(binary: &Path, root: &Path, options: &Options, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let seed = options.seed.unwrap_or_else(|| rand::rng().random());
    println!("seed {seed}");
    let plan = schedule(StdRng::seed_from_u64(seed), options.injections, &options.only);
    let mut dice = StdRng::seed_from_u64(seed.wrapping_add(1));
    let mut stage = Stage::start(binary, root).await?;
    let (stop, stopped) = watch::channel(false);
    let mut crowds = [people(&stage, "north", &stopped).await?, people(&stage, "south", &stopped).await?];
    let keys = [crowds[0].organizer.key.clone(), crowds[1].organizer.key.clone()];
    let mut at_work = JoinSet::new();
    for (people, key) in crowds.iter_mut().zip(keys.into_iter().rev()) {
        people.stranger = key;
        for _ in 0..BUYERS {
            at_work.spawn(people.clone().buy(StdRng::seed_from_u64(dice.random())));
        }
        for _ in 0..SCANNERS {
            at_work.spawn(people.clone().admit(StdRng::seed_from_u64(dice.random())));
        }
        at_work.spawn(people.clone().give_back(StdRng::seed_from_u64(dice.random())));
    }
    let watch = Instant::now();
    for (number, injection) in plan.iter().enumerate() {
        tokio::time::sleep(injection.after).await;
        println!("{} at {:.1} s: {injection}", number + 1, watch.elapsed().as_secs_f64());
        stage.strike(injection).await?;
    }
    let healed = stage.healed().await;
    let took = watch.elapsed().as_secs_f64();
    println!("{} injections in {took:.1} s; nodes ended by themselves {} times", plan.len(), stage.ended);
    verdicts.judge("everything is ready again", healed);
    stop.send_replace(true);
    let mut ends = Vec::new();
    while let Some(ended) = at_work.join_next().await {
        ends.extend(ended?.err().map(|error| format!("{error:#}")));
    }
    let answered = if ends.is_empty() { Ok(()) } else { Err(anyhow::anyhow!("{ends:?}")) };
    verdicts.judge("everybody gets an answer in the end", answered);
    let [north, south] = &crowds;
    let (north_quiet, south_quiet) = tokio::join!(judge::quiet(north), judge::quiet(south));
    judge::organization("north", north, north_quiet, &stage.data, verdicts).await?;
    judge::organization("south", south, south_quiet, &stage.data, verdicts).await?;
    judge::apart("north", north, south, verdicts).await;
    judge::apart("south", south, north, verdicts).await;
    Ok(())
}

/// An organization with its event, its gate, and nobody there yet.
async fn people(stage: &Stage, name: &str, stopped: &watch::Receiver<bool>) -> anyhow::Result<People> {
    let organizer = stage.organization(name).await?;
    let event = organizer.make_event(name, SEATS, GENERAL).await?;
    let scanner = Scanner::pair(&organizer, &event).await?;
    let nodes = stage.urls.iter().map(|url| Client::new(url)).collect::<anyhow::Result<_>>()?;
    Ok(People {
        event,
        organizer,
        scanner,
        journal: Arc::new(Journal::default()),
        nodes,
        wanted: Arc::default(),
        warm_losses: Arc::clone(&stage.warm_losses),
        stranger: String::new(),
        stopped: stopped.clone(),
    })
}
