//! How much the whole shop does in a second, one kind of request at a time: pages, holds, orders, scans. Plain figures, in a closed loop.
//!
//! The load generator shares the processors with the server and with the sandbox provider, so a figure is what this machine carries as a whole.

use std::time::Instant;

use anyhow::Context;
use clap::Parser;
use voelgoed_stress::client::{Connection, get};
use voelgoed_stress::crowd::Crowd;
use voelgoed_stress::measure::Measures;
use voelgoed_stress::options::Options;
use voelgoed_stress::process::give_way;
use voelgoed_stress::sale::{CONCERT, Held, Ordered, STADIUM, Show, all_admitted, buy_all, hold_all, scan};
use voelgoed_stress::shop::Shop;

const CONNECTIONS: usize = 32;
const PAGES: usize = 3_000;
const HOLDS: usize = 3_000;
const ORDERS: usize = 1_000;
/// Of the hall's 1,900, in each round.
const TICKETS: usize = 350;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    give_way()?;
    let shop = Shop::open(&options, "rates")?;
    let (concert, stadium) = (Show::of(&shop, CONCERT).await?, Show::of(&shop, STADIUM).await?);
    let mut crowd = Crowd::open(&shop.address, CONNECTIONS).await?;
    let mut tickets = concert.seats.chunks_exact(options.scaled(TICKETS));
    let mut seats = stadium.seats.chunks_exact(2);
    let mut measures = Measures::default();
    for _ in 0..options.rounds {
        let pages = vec![get(&format!("/events/{}", concert.event)); options.scaled(PAGES)];
        measures.add("event pages", "1/s", crowd.send(&pages, 200).await?.per_second());

        let parties: Vec<&[u32]> = seats.by_ref().take(options.scaled(HOLDS)).collect();
        let sessions = stadium.sessions(&mut crowd, parties.len()).await?;
        let holds: Vec<_> = parties.iter().zip(&sessions).map(|(seats, who)| stadium.hold(seats, who)).collect();
        let held = crowd.send(&holds, 201).await?;
        measures.add("holds of two seats", "1/s", held.per_second());
        let releases: Vec<_> =
            held.answers.iter().map(|answer| Held::of(answer).map(|held| held.release())).collect::<Result<_, _>>()?;
        crowd.send(&releases, 204).await?;

        let orders = &parties[..options.scaled(ORDERS).min(parties.len())];
        let orders: Vec<_> = hold_all(&stadium, &mut crowd, orders, &sessions).await?.iter().map(Held::order).collect();
        let start = Instant::now();
        let placed = crowd.send(&orders, 201).await?;
        measures.add("orders placed", "1/s", placed.per_second());
        let mut connection = Connection::open(&shop.address).await?;
        for answer in &placed.answers {
            Ordered::of(answer)?.codes(&mut connection).await?;
        }
        measures.add("orders paid, with tickets", "1/s", orders.len() as f64 / start.elapsed().as_secs_f64());

        let here = tickets.next().context("the hall has no more seats; ask for fewer rounds")?;
        let codes = buy_all(&shop, &concert, &mut crowd, here).await?;
        // In, then out again, one after the other, so that each is admitted and written.
        let start = Instant::now();
        for way in ["entry", "exit"] {
            let scans: Vec<_> = codes.iter().map(|code| scan(&shop, code, way)).collect();
            all_admitted(&crowd.send(&scans, 200).await?.answers)?;
        }
        measures.add("scans", "1/s", 2.0 * codes.len() as f64 / start.elapsed().as_secs_f64());
    }
    measures.print();
    Ok(())
}
