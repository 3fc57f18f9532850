//! A node is killed under load, behind HAProxy: how much of what was asked for is still served afterwards, and what its viewers missed.
//!
//! First the most that the platform serves is found in a closed loop, then buyers come at half of that, whatever became of those before, and
//! one of three web nodes is ended by `kill -9`. Figures are printed; `cargo xtask bench` judges them.

mod load;
mod viewers;

use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Args;
use voelgoed_stress::measure::Measures;
use voelgoed_stress::sale::{STADIUM, Show};
use voelgoed_testkit::cluster::{Plan, Platform, end_leftovers};
use voelgoed_testkit::organizer::Organizer;
use voelgoed_testkit::until::until;
use voelgoed_testkit::verdict::Verdicts;

use self::load::{Load, Served};
use self::viewers::Viewers;
use crate::Nodes;

/// How long and how often.
#[derive(Debug, Clone, Args)]
pub struct Options {
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

impl Options {
    /// What `check` runs.
    pub const fn smoke() -> Self {
        Self { rounds: 1, seconds: 2, viewers: 12 }
    }
}

/// The others have taken over by then.
const TAKEN_OVER: Duration = Duration::from_secs(3);
/// Whatever another process does is done by then.
const SOON: Duration = Duration::from_secs(60);
/// Half of what the platform can do.
const PART: f64 = 0.5;

/// Measures, kills, judges; prints what was measured.
pub async fn run(nodes: &Nodes, options: &Options, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let root = nodes.root.join("killed");
    if root.exists() {
        end_leftovers(&root.canonicalize()?)?;
        std::fs::remove_dir_all(&root)?;
    }
    let mut platform = Platform::start(Plan {
        binary: nodes.binary.canonicalize()?,
        root,
        roles: vec!["web", "web", "web", "worker"],
        redis_cluster: false,
        replica: false,
        haproxy: Some(nodes.haproxy.canonicalize()?),
        environment: crate::wide(),
        time_scale: 0.2,
    })
    .await?;
    crate::rolling::balanced(&platform).await?;
    let address = platform.url.trim_start_matches("http://").to_owned();
    let show = Show::at(&address, &platform.card, STADIUM).await?;
    let event = show.event.clone();
    let mut load = Load::new(address, show).await?;
    let part = Duration::from_secs(options.seconds);
    let most = load.capacity(part).await?;
    println!("at most {most:.0} buyers a second are served");
    let mut measures = Measures::default();
    let mut watched = Ok(());
    for round in 0..options.rounds {
        let viewers = Viewers::open(&platform.url, &platform.nodes[2].url(), &event, options.viewers).await?;
        let served = under_load(&mut platform, &mut load, &viewers, most * PART, part, round % 2).await?;
        let told = viewers.close(&platform.nodes[2].client()?, &event).await;
        println!("round {round}: {served}");
        add(&mut measures, most, &served);
        match told {
            Ok(told) => {
                println!("round {round}: {told}");
                if let Some(longest) = told.longest {
                    measures.add(
                        "a viewer's next frame after the kill, the longest",
                        "ms",
                        longest.as_secs_f64() * 1e3,
                    );
                }
            }
            Err(error) => watched = Err(error),
        }
        crate::rolling::balanced(&platform).await?;
    }
    measures.print();
    verdicts.judge("the viewers of a killed node resume elsewhere without a gap", watched);
    let organizer = Organizer::of(&platform.nodes[2].url(), &platform.card)?;
    verdicts.judge("every order that was acknowledged meanwhile is paid", ended(&organizer, &event, &load).await);
    verdicts.judge("the books balance", organizer.balanced_journal().await.map(drop));
    platform.stop().await
}

/// Buyers come for `part`, a node is killed, they come for [`TAKEN_OVER`] and another `part`; the node is started again.
async fn under_load(
    platform: &mut Platform,
    load: &mut Load,
    viewers: &Viewers,
    per_second: f64,
    part: Duration,
    victim: usize,
) -> anyhow::Result<Served> {
    let running = load.open(per_second, part * 2 + TAKEN_OVER);
    tokio::time::sleep(part).await;
    viewers.note_kill();
    let killed = Instant::now();
    platform.nodes[victim].kill().await?;
    let served = running.await??;
    platform.nodes[victim].start().await?;
    platform.nodes[victim].ready().await?;
    platform.note()?;
    load.learn(&served);
    Ok(Served::of(&served, per_second, killed, part))
}

fn add(measures: &mut Measures, most: f64, served: &Served) {
    measures.add("buyers served at most", "1/s", most);
    measures.add("buyers who came", "1/s", served.offered);
    measures.add("goodput before the kill", "1/s", served.before);
    measures.add("goodput from 3 s after it on", "1/s", served.after);
    measures.add("goodput after / before", "", served.after / served.before);
    measures.add("until goodput stays at 0.95", "s", served.recovered.as_secs_f64());
    measures.add("buyers not served", "", served.failed as f64);
}

/// Every acknowledged order is there and paid.
async fn ended(organizer: &Organizer, event: &str, load: &Load) -> anyhow::Result<()> {
    until("every order has ended", SOON, || async {
        let orders = organizer.orders(event).await?;
        let paid = |id: &&String| orders.iter().any(|order| order["id"] == id.as_str() && order["state"] == "paid");
        ensure!(!load.orders().is_empty(), "nobody ordered anything");
        Ok(load.orders().iter().all(|id| paid(&id)).then_some(()))
    })
    .await
}
