//! Measures how many pages, holds, orders and scans per second the whole shop serves, one kind of request at a time in a closed loop.
//!
//! The load generator shares the processors with the server and the sandbox provider, so a figure is the throughput of this machine as a whole.

use std::time::Instant;

use anyhow::Context;
use clap::Parser;
use voelgoed_stress::bench_server::start_bench_server;
use voelgoed_stress::closed_loop::ClosedLoop;
use voelgoed_stress::measures::Measures;
use voelgoed_stress::options::BenchOptions;
use voelgoed_stress::process::use_batch_scheduling;
use voelgoed_stress::raw_client::{RawConnection, get};
use voelgoed_stress::sale::{
    CONCERT, HeldSeats, PlacedOrder, STADIUM, SaleEvent, buy_all, check_all_admitted, hold_all, scan,
};

const CONNECTIONS: usize = 32;
const PAGES: usize = 3_000;
const HOLDS: usize = 3_000;
const ORDERS: usize = 1_000;
/// Of the hall's 1,900, in each round.
const TICKETS: usize = 350;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = BenchOptions::parse();
    use_batch_scheduling()?;
    let server = start_bench_server(&options, "rates").await?;
    let (concert, stadium) = (SaleEvent::of(&server, CONCERT).await?, SaleEvent::of(&server, STADIUM).await?);
    let mut clients = ClosedLoop::open(&server.address, CONNECTIONS).await?;
    let mut tickets = concert.seats.chunks_exact(options.scaled(TICKETS));
    let mut seats = stadium.seats.chunks_exact(2);
    let mut measures = Measures::default();
    for _ in 0..options.rounds {
        let pages = vec![get(&format!("/events/{}", concert.event)); options.scaled(PAGES)];
        measures.add("event pages", "1/s", clients.send(&pages, 200).await?.per_second());

        let parties: Vec<&[u32]> = seats.by_ref().take(options.scaled(HOLDS)).collect();
        let sessions = stadium.sessions(&mut clients, parties.len()).await?;
        let holds: Vec<_> =
            parties.iter().zip(&sessions).map(|(seats, session)| stadium.hold(seats, session)).collect();
        let held = clients.send(&holds, 201).await?;
        measures.add("holds of two seats", "1/s", held.per_second());
        let releases: Vec<_> = held
            .responses
            .iter()
            .map(|response| HeldSeats::read(response).map(|held| held.release()))
            .collect::<Result<_, _>>()?;
        clients.send(&releases, 204).await?;

        let orders = &parties[..options.scaled(ORDERS).min(parties.len())];
        let orders: Vec<_> =
            hold_all(&stadium, &mut clients, orders, &sessions).await?.iter().map(HeldSeats::order).collect();
        let start = Instant::now();
        let placed = clients.send(&orders, 201).await?;
        measures.add("orders placed", "1/s", placed.per_second());
        let mut connection = RawConnection::open(&server.address).await?;
        for response in &placed.responses {
            PlacedOrder::read(response)?.codes(&mut connection).await?;
        }
        measures.add("orders paid, with tickets", "1/s", orders.len() as f64 / start.elapsed().as_secs_f64());

        let seats_to_buy = tickets.next().context("the hall has no more seats; ask for fewer rounds")?;
        let codes = buy_all(&server, &concert, &mut clients, seats_to_buy).await?;
        // Each ticket enters and exits, so that every scan is admitted and written.
        let start = Instant::now();
        for direction in ["entry", "exit"] {
            let scans: Vec<_> = codes.iter().map(|code| scan(&server, code, direction)).collect();
            check_all_admitted(&clients.send(&scans, 200).await?.responses)?;
        }
        measures.add("scans", "1/s", 2.0 * codes.len() as f64 / start.elapsed().as_secs_f64());
    }
    measures.print();
    Ok(())
}
