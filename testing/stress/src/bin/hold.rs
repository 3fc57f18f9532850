//! Holds over HTTP beside an empty route: the same client, the same connections, rounds in turn.
//!
//! The empty route is `/livez`: it passes what every request passes, and does nothing. A hold takes one named seat of 60,000; they are given back between rounds, untimed.

use clap::Parser;
use voelgoed_stress::client::get;
use voelgoed_stress::crowd::Crowd;
use voelgoed_stress::measure::Measures;
use voelgoed_stress::options::Options;
use voelgoed_stress::process::{cpu_seconds, give_way};
use voelgoed_stress::sale::{Held, STADIUM, Show};
use voelgoed_stress::shop::Shop;

const CONNECTIONS: usize = 32;
const REQUESTS: usize = 10_000;
/// Below the 20 places that one session may hold.
const HOLDS_PER_SESSION: usize = 10;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    give_way()?;
    let shop = Shop::open(&options, "hold")?;
    let show = Show::of(&shop, STADIUM).await?;
    let mut crowd = Crowd::open(&shop.address, CONNECTIONS).await?;
    let count = options.scaled(REQUESTS);
    let sessions = show.sessions(&mut crowd, count.div_ceil(HOLDS_PER_SESSION)).await?;
    // Far apart, as seats of people who do not know each other are.
    let stride = show.seats.len() / count;
    let holds: Vec<_> =
        (0..count).map(|at| show.hold(&[show.seats[at * stride]], &sessions[at % sessions.len()])).collect();
    let empty = vec![get("/livez"); count];
    let mut measures = Measures::default();
    // The first round warms caches and connections, and is not counted.
    for round in 0..=options.rounds {
        let both = || anyhow::Ok([shop.cpu_seconds()?, cpu_seconds("self")?]);
        let mut used = both()?;
        let mut spent = || -> anyhow::Result<[f64; 2]> {
            let before = std::mem::replace(&mut used, both()?);
            Ok([0, 1].map(|side| (used[side] - before[side]) * 1e6 / count as f64))
        };
        let floor = crowd.send(&empty, 200).await?;
        let [floor_cpu, floor_client] = spent()?;
        let held = crowd.send(&holds, 201).await?;
        let [held_cpu, held_client] = spent()?;
        let releases: Vec<_> =
            held.answers.iter().map(|answer| Held::of(answer).map(|held| held.release())).collect::<Result<_, _>>()?;
        crowd.send(&releases, 204).await?;
        if round > 0 {
            measures.add("empty route", "1/s", floor.per_second());
            measures.add("hold", "1/s", held.per_second());
            measures.add("empty route, server CPU", "µs", floor_cpu);
            measures.add("hold, server CPU", "µs", held_cpu);
            measures.add("empty route, client CPU", "µs", floor_client);
            measures.add("hold, client CPU", "µs", held_client);
        }
    }
    measures.print();
    Ok(())
}
