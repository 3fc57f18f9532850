//! Compares holds over HTTP with an empty route, by the same client on the same connections in alternating rounds.
//!
//! The empty route is `/livez`: it passes all layers of a request and does nothing. A hold takes one named seat of 60,000; seats are released between
//! rounds, untimed.

use clap::Parser;
use voelgoed_stress::bench_server::start_bench_server;
use voelgoed_stress::closed_loop::ClosedLoop;
use voelgoed_stress::measures::Measures;
use voelgoed_stress::options::BenchOptions;
use voelgoed_stress::process::{cpu_seconds, server_cpu_seconds, use_batch_scheduling};
use voelgoed_stress::raw_client::get;
use voelgoed_stress::sale::{HeldSeats, STADIUM, SaleEvent};

const CONNECTIONS: usize = 32;
const REQUESTS: usize = 10_000;
/// Below the 20 places that one session may hold.
const HOLDS_PER_SESSION: usize = 10;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = BenchOptions::parse();
    use_batch_scheduling()?;
    let server = start_bench_server(&options, "hold").await?;
    let event = SaleEvent::of(&server, STADIUM).await?;
    let mut clients = ClosedLoop::open(&server.address, CONNECTIONS).await?;
    let count = options.scaled(REQUESTS);
    let sessions = event.sessions(&mut clients, count.div_ceil(HOLDS_PER_SESSION)).await?;
    // Seats of strangers are far apart.
    let stride = event.seats.len() / count;
    let holds: Vec<_> =
        (0..count).map(|at| event.hold(&[event.seats[at * stride]], &sessions[at % sessions.len()])).collect();
    let empty = vec![get("/livez"); count];
    let mut measures = Measures::default();
    // The first round warms caches and connections, and is not counted.
    for round in 0..=options.rounds {
        let cpu_of_both = || anyhow::Ok([server_cpu_seconds(&server)?, cpu_seconds("self")?]);
        let mut used = cpu_of_both()?;
        let mut spent = || -> anyhow::Result<[f64; 2]> {
            let before = std::mem::replace(&mut used, cpu_of_both()?);
            Ok([0, 1].map(|side| (used[side] - before[side]) * 1e6 / count as f64))
        };
        let empty_round = clients.send(&empty, 200).await?;
        let [empty_cpu, empty_client] = spent()?;
        let held = clients.send(&holds, 201).await?;
        let [held_cpu, held_client] = spent()?;
        let releases: Vec<_> = held
            .responses
            .iter()
            .map(|response| HeldSeats::read(response).map(|held| held.release()))
            .collect::<Result<_, _>>()?;
        clients.send(&releases, 204).await?;
        if round > 0 {
            measures.add("empty route", "1/s", empty_round.per_second());
            measures.add("hold", "1/s", held.per_second());
            measures.add("empty route, server CPU", "µs", empty_cpu);
            measures.add("hold, server CPU", "µs", held_cpu);
            measures.add("empty route, client CPU", "µs", empty_client);
            measures.add("hold, client CPU", "µs", held_client);
        }
    }
    measures.print();
    Ok(())
}
