//! What people wait for while a sale and a gate run at once: scans, holds, orders, and how soon a viewer sees that a seat went.
//!
//! An open loop sends at fixed rates. Scans are of real tickets, in and out in turn, so that each is written. A viewer's delay counts from the moment the
//! hold's answer arrived until the frame with its seat did; a frame that came before the answer counts as none.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Parser;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use voelgoed_stress::client::get;
use voelgoed_stress::crowd::Crowd;
use voelgoed_stress::latency::Latencies;
use voelgoed_stress::measure::Measures;
use voelgoed_stress::options::Options;
use voelgoed_stress::paced;
use voelgoed_stress::sale::{CONCERT, STADIUM, Show, all_admitted, buy_all, hold_all, scan};
use voelgoed_stress::shop::Shop;

const SECONDS: usize = 10;
const HOLDS_PER_SECOND: usize = 100;
const ORDERS_PER_SECOND: usize = 30;
/// Each ticket goes in and out once.
const SCANS_PER_SECOND: usize = 70;
/// Of the hall's 1,900, in each round.
const TICKETS: usize = 350;
/// Below the 20 places that one session may hold.
const HOLDS_PER_SESSION: usize = 10;
/// A viewer that has not seen a seat by then never will.
const DEADLINE: Duration = Duration::from_secs(5);

/// When each place was first told to be held, until `done`.
async fn watch(
    address: String,
    event: String,
    ready: oneshot::Sender<()>,
    mut done: oneshot::Receiver<()>,
) -> anyhow::Result<BTreeMap<u32, Instant>> {
    let mut stream = TcpStream::connect(&address).await?;
    stream.write_all(&get(&format!("/api/v1/events/{event}/stream"))).await?;
    let mut lines = BufReader::new(stream).lines();
    let mut ready = Some(ready);
    let mut seen = BTreeMap::new();
    loop {
        let line = tokio::select! {
            line = lines.next_line() => line?.context("the stream ended")?,
            _ = &mut done => return Ok(seen),
        };
        let Some(data) = line.strip_prefix("data: ") else { continue };
        let now = Instant::now();
        // The first frame is the snapshot; from then on nothing is missed.
        ready.take().map(|ready| ready.send(()));
        let frame: Value = serde_json::from_str(data)?;
        for change in frame["changes"].as_array().into_iter().flatten() {
            if let (Some(place), Some(1)) = (change[0].as_u64(), change[1].as_u64()) {
                seen.entry(u32::try_from(place)?).or_insert(now);
            }
        }
    }
}

fn add(measures: &mut Measures, name: &str, latencies: &Latencies) {
    measures.add(format!("{name}, p50"), "ms", latencies.millis(50.0));
    measures.add(format!("{name}, p99"), "ms", latencies.millis(99.0));
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let shop = Shop::open(&options, "under-load")?;
    let (concert, stadium) = (Show::of(&shop, CONCERT).await?, Show::of(&shop, STADIUM).await?);
    let mut tickets = concert.seats.chunks_exact(options.scaled(TICKETS));
    let mut seats = stadium.seats.chunks_exact(2);
    let mut measures = Measures::default();
    let seconds = options.scaled(SECONDS);
    for _ in 0..options.rounds {
        // The server lets go of connections that rested as long as a round lasts.
        let mut crowd = Crowd::open(&shop.address, 16).await?;
        let holding: Vec<u32> = seats.by_ref().take(seconds * HOLDS_PER_SECOND).map(|pair| pair[0]).collect();
        let bought: Vec<&[u32]> = seats.by_ref().take(seconds * ORDERS_PER_SECOND).collect();
        let sessions = stadium.sessions(&mut crowd, holding.len().div_ceil(HOLDS_PER_SESSION) + bought.len()).await?;
        let (holders, buyers) = sessions.split_at(holding.len().div_ceil(HOLDS_PER_SESSION));
        let orders: Vec<_> =
            hold_all(&stadium, &mut crowd, &bought, buyers).await?.iter().map(|held| held.order()).collect();
        let holds = holding.iter().zip(holders.iter().cycle()).map(|(seat, who)| stadium.hold(&[*seat], who)).collect();
        let here = tickets.next().context("the hall has no more seats; ask for fewer rounds")?;
        let codes = buy_all(&shop, &concert, &mut crowd, here).await?;
        let ways = ["entry", "exit"].into_iter().flat_map(|way| codes.iter().map(move |code| (code, way)));
        let scans = ways.map(|(code, way)| scan(&shop, code, way)).collect();
        let ((ready, is_ready), (done, is_done)) = (oneshot::channel(), oneshot::channel());
        let watching = tokio::spawn(watch(shop.address.clone(), stadium.event.clone(), ready, is_done));
        is_ready.await.context("the viewer saw nothing")?;
        let cpu = shop.cpu_seconds()?;
        let (held, ordered, scanned) = tokio::try_join!(
            paced::send(&shop.address, HOLDS_PER_SECOND as f64, holds, 201),
            paced::send(&shop.address, ORDERS_PER_SECOND as f64, orders, 201),
            paced::send(&shop.address, SCANS_PER_SECOND as f64, scans, 200),
        )?;
        measures.add("server, CPU", "cores", (shop.cpu_seconds()? - cpu) / seconds as f64);
        tokio::time::sleep(DEADLINE / 10).await;
        ensure!(done.send(()).is_ok(), "the viewer ended early");
        let seen = watching.await??;
        all_admitted(scanned.answers.iter().map(|(_, answer)| answer))?;
        let mut delays = Latencies::default();
        for (seat, (answered, _)) in holding.iter().zip(&held.answers) {
            let seen = seen.get(seat).with_context(|| format!("nobody saw seat {seat} go"))?;
            delays.record(seen.saturating_duration_since(*answered));
        }
        for (name, latencies) in [
            ("hold", &held.latencies),
            ("order", &ordered.latencies),
            ("scan", &scanned.latencies),
            ("hold to viewer", &delays),
        ] {
            add(&mut measures, name, latencies);
        }
    }
    measures.print();
    Ok(())
}
