//! Measures the latency of scans, holds and orders while a sale and a gate run at once, and the delay until a viewer sees a held seat.
//!
//! An open loop sends at fixed rates. Scans are of real tickets that enter and exit, so that each is written. A viewer's delay counts from the response to
//! a hold to the frame with its seat; a frame that comes before the response counts as zero.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Parser;
use tokio::sync::oneshot;
use voelgoed_stress::bench_server::start_bench_server;
use voelgoed_stress::closed_loop::ClosedLoop;
use voelgoed_stress::latency::Latencies;
use voelgoed_stress::measures::Measures;
use voelgoed_stress::open_loop;
use voelgoed_stress::options::BenchOptions;
use voelgoed_stress::process::server_cpu_seconds;
use voelgoed_stress::sale::{CONCERT, STADIUM, SaleEvent, buy_all, check_all_admitted, hold_all, scan};
use voelgoed_testkit::http_client::ApiClient;
use voelgoed_testkit::sse::SseStream;

const SECONDS: usize = 10;
const HOLDS_PER_SECOND: usize = 100;
const ORDERS_PER_SECOND: usize = 30;
/// Each ticket enters and exits once.
const SCANS_PER_SECOND: usize = 70;
/// Of the hall's 1,900 seats in each round.
const TICKETS: usize = 350;
/// Below the 20 places that one session may hold.
const HOLDS_PER_SESSION: usize = 10;
/// For a viewer to see a held seat.
const VIEWER_TIMEOUT: Duration = Duration::from_secs(5);

/// When a viewer first saw each place as held, until `done`.
async fn watch(
    client: ApiClient,
    event: String,
    ready: oneshot::Sender<()>,
    mut done: oneshot::Receiver<()>,
) -> anyhow::Result<BTreeMap<u32, Instant>> {
    let mut stream = SseStream::open(client.request("GET", &format!("/api/v1/events/{event}/stream"))).await?;
    let mut ready = Some(ready);
    let mut seen = BTreeMap::new();
    loop {
        let frame = tokio::select! {
            frame = stream.next_data() => frame?,
            _ = &mut done => return Ok(seen),
        };
        let now = Instant::now();
        // The first frame is the snapshot; later changes come as deltas.
        ready.take().map(|ready| ready.send(()));
        for change in frame.json()["changes"].as_array().into_iter().flatten() {
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
    let options = BenchOptions::parse();
    let server = start_bench_server(&options, "under-load").await?;
    let (concert, stadium) = (SaleEvent::of(&server, CONCERT).await?, SaleEvent::of(&server, STADIUM).await?);
    let mut tickets = concert.seats.chunks_exact(options.scaled(TICKETS));
    let mut seats = stadium.seats.chunks_exact(2);
    let mut measures = Measures::default();
    let seconds = options.scaled(SECONDS);
    for _ in 0..options.rounds {
        // The server closes connections that are idle as long as a round lasts.
        let mut clients = ClosedLoop::open(&server.address, 16).await?;
        let holding: Vec<u32> = seats.by_ref().take(seconds * HOLDS_PER_SECOND).map(|pair| pair[0]).collect();
        let bought: Vec<&[u32]> = seats.by_ref().take(seconds * ORDERS_PER_SECOND).collect();
        let sessions = stadium.sessions(&mut clients, holding.len().div_ceil(HOLDS_PER_SESSION) + bought.len()).await?;
        let (holders, buyers) = sessions.split_at(holding.len().div_ceil(HOLDS_PER_SESSION));
        let orders: Vec<_> =
            hold_all(&stadium, &mut clients, &bought, buyers).await?.iter().map(|held| held.order()).collect();
        let holds =
            holding.iter().zip(holders.iter().cycle()).map(|(seat, session)| stadium.hold(&[*seat], session)).collect();
        let seats_to_buy = tickets.next().context("the hall has no more seats; ask for fewer rounds")?;
        let codes = buy_all(&server, &concert, &mut clients, seats_to_buy).await?;
        let directions = ["entry", "exit"].into_iter();
        let scans = directions.flat_map(|direction| codes.iter().map(move |code| (code, direction)));
        let scans = scans.map(|(code, direction)| scan(&server, code, direction)).collect();
        let ((ready, is_ready), (done, is_done)) = (oneshot::channel(), oneshot::channel());
        let watching = tokio::spawn(watch(ApiClient::new(&server.url())?, stadium.event.clone(), ready, is_done));
        is_ready.await.context("the viewer received nothing")?;
        let cpu = server_cpu_seconds(&server)?;
        let (held, ordered, scanned) = tokio::try_join!(
            open_loop::send(&server.address, HOLDS_PER_SECOND as f64, holds, 201),
            open_loop::send(&server.address, ORDERS_PER_SECOND as f64, orders, 201),
            open_loop::send(&server.address, SCANS_PER_SECOND as f64, scans, 200),
        )?;
        measures.add("server, CPU", "cores", (server_cpu_seconds(&server)? - cpu) / seconds as f64);
        tokio::time::sleep(VIEWER_TIMEOUT / 10).await;
        ensure!(done.send(()).is_ok(), "the viewer ended early");
        let seen = watching.await??;
        check_all_admitted(scanned.responses.iter().map(|(_, response)| response))?;
        let mut delays = Latencies::default();
        for (seat, (answered, _)) in holding.iter().zip(&held.responses) {
            let seen = seen.get(seat).with_context(|| format!("the viewer did not see seat {seat}"))?;
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
