//! Runs a saturating sale on Redis and a flushing Postgres while a gate scans, and measures scans per second, their latency, and the share of the sale's
//! requests that touched the cold tier by the server's own metric (P11).
//!
//! A visitor opens the page and the event, reads availability five times and holds two seats; one in four buys them, reads the order, follows its stream
//! until it is paid and reads it again. Visitors follow one another on 24 connections without a pause. The gate first scans as fast as it can, then at a
//! fixed rate, from which latencies are taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::Context;
use clap::Parser;
use tokio::task::JoinSet;
use voelgoed_stress::bench_server::bench_server_options;
use voelgoed_stress::closed_loop::{ClosedLoop, ClosedLoopRound};
use voelgoed_stress::measures::Measures;
use voelgoed_stress::open_loop::{self, OpenLoopRun};
use voelgoed_stress::options::BenchOptions;
use voelgoed_stress::raw_client::{RawConnection, get};
use voelgoed_stress::sale::{CONCERT, HeldSeats, PlacedOrder, STADIUM, SaleEvent, buy_all, check_all_admitted, scan};
use voelgoed_testkit::postgres::Postgres;
use voelgoed_testkit::redis::RedisServer;
use voelgoed_testkit::sandbox_provider::{SandboxProviderOptions, sandbox_provider};
use voelgoed_testkit::server::{TestServer, run_command};

const VISITORS: usize = 24;
/// Connections of the gate while it scans as fast as it can.
const SCANNERS: usize = 8;
/// One visitor in this many buys.
const VISITORS_PER_PURCHASE: usize = 4;
const AVAILABILITY_READS: usize = 5;
/// Protects nothing.
const MASTER_KEY: &str = "8f0e1b5c7d92a34466f1c0de29ab7835d1427c9be60f5a83174d2ce98b3fa650";
const SCANS_PER_SECOND: f64 = 50.0;
/// Of the hall's 1,900 seats in each round.
const TICKETS: usize = 300;

/// Shared by all visitors.
struct SharedSale {
    address: String,
    stadium: SaleEvent,
    /// The next pair of free seats.
    next: AtomicUsize,
    bought: AtomicUsize,
    is_over: AtomicBool,
}

impl SharedSale {
    /// Runs visitors one after the other until the sale is over.
    async fn run_visitors(&self) -> anyhow::Result<()> {
        let mut connection = RawConnection::open(&self.address).await?;
        let event = &self.stadium.event;
        while !self.is_over.load(Ordering::Relaxed) {
            let visit = self.next.fetch_add(1, Ordering::Relaxed);
            let seats = self.stadium.seats.get(visit * 2..visit * 2 + 2).context("the stadium is sold out")?;
            let page = connection.send(&get(&format!("/events/{event}"))).await?.expect(200)?;
            let session = page.header("x-session").context("a first contact gives a session")?.to_owned();
            connection.send(&get(&format!("/api/v1/events/{event}"))).await?.expect(200)?;
            for _ in 0..AVAILABILITY_READS {
                connection.send(&get(&format!("/api/v1/events/{event}/availability"))).await?.expect(200)?;
            }
            let held = HeldSeats::read(&connection.send(&self.stadium.hold(seats, &session)).await?.expect(201)?)?;
            if visit.is_multiple_of(VISITORS_PER_PURCHASE) {
                let order = PlacedOrder::read(&connection.send(&held.order()).await?.expect(201)?)?;
                order.watch_until_paid(&self.address, &mut connection).await?;
                self.bought.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}

/// The requests of the sale so far, and those that touched the cold tier.
async fn request_counts(address: &str) -> anyhow::Result<(f64, f64)> {
    let response = RawConnection::open(address).await?.send(&get("/metrics")).await?.expect(200)?;
    let text = String::from_utf8_lossy(response.body());
    let count = |touched: &str| {
        let wanted = format!("touched_cold=\"{touched}\"");
        let mut lines = text.lines().filter(|line| line.starts_with("voelgoed_sale_requests_total{"));
        let line = lines.find(|line| line.contains(&wanted)).context("the metric exists")?;
        line.rsplit(' ').next().and_then(|number| number.parse::<f64>().ok()).context("a metric has a number")
    };
    Ok((count("no")? + count("yes")?, count("yes")?))
}

/// Adds the figures of one round: `(all, cold)` are the requests of the sale and those that touched cold.
fn add_round(
    measures: &mut Measures,
    fast: &ClosedLoopRound,
    at_fixed_rate: &OpenLoopRun,
    (all, cold): (f64, f64),
    paid: usize,
    seconds: f64,
) {
    measures.add("scans during the sale", "1/s", fast.per_second());
    measures.add("scan during the sale, p50", "ms", at_fixed_rate.latencies.millis(50.0));
    measures.add("scan during the sale, p99", "ms", at_fixed_rate.latencies.millis(99.0));
    measures.add("requests of the sale", "1/s", all / seconds);
    measures.add("orders paid", "1/s", paid as f64 / seconds);
    measures.add("requests that never touched cold", "%", 100.0 * (all - cold) / all);
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = BenchOptions::parse();
    std::fs::create_dir_all(&options.data)?;
    let (redis, postgres) = (RedisServer::start(&options.data).await?, Postgres::start_flushing().await?);
    postgres.create_database("sale", "template0")?;
    let mut provider = sandbox_provider(SandboxProviderOptions {
        binary: &options.voelgoed,
        data: &options.data.join(format!("sale-provider-{}", std::process::id())),
        // Its callbacks reach no server, since the shop has no address yet: the shop polls.
        shop_url: "http://127.0.0.1:9",
        master_key: MASTER_KEY,
        time_scale: 1.0,
    })?;
    provider.start()?;
    provider.accepts_connections().await?;
    let settings = [
        ("VOELGOED__WARM__URL", redis.url()),
        ("VOELGOED__COLD__URL", postgres.url("sale")),
        ("VOELGOED__SECRETS__MASTER", MASTER_KEY.to_owned()),
        ("VOELGOED__SANDBOX__URL", format!("http://{}", provider.address)),
        ("VOELGOED__SALE__POLL_EVERY", "1s".to_owned()),
    ];
    let server_options = bench_server_options(&options, "sale", &settings)?;
    run_command(&server_options.binary, &["migrate"], &server_options.data, &server_options.environment).await?;
    let server = TestServer::started(server_options).await?;
    let (concert, stadium) = (SaleEvent::of(&server, CONCERT).await?, SaleEvent::of(&server, STADIUM).await?);
    let sale = Arc::new(SharedSale {
        address: server.address.clone(),
        stadium,
        next: AtomicUsize::new(0),
        bought: AtomicUsize::new(0),
        is_over: AtomicBool::new(false),
    });
    let mut tickets = concert.seats.chunks_exact(options.scaled(TICKETS));
    let mut measures = Measures::default();
    for _ in 0..options.rounds {
        let mut clients = ClosedLoop::open(&server.address, SCANNERS).await?;
        let seats_to_buy = tickets.next().context("the hall has no more seats; ask for fewer rounds")?;
        let codes = buy_all(&server, &concert, &mut clients, seats_to_buy).await?;
        sale.is_over.store(false, Ordering::Relaxed);
        let (start, before, bought) = (
            std::time::Instant::now(),
            request_counts(&server.internal_address).await?,
            sale.bought.load(Ordering::Relaxed),
        );
        let mut visitors = JoinSet::new();
        for _ in 0..VISITORS {
            let sale = Arc::clone(&sale);
            visitors.spawn(async move { sale.run_visitors().await });
        }
        let entries: Vec<_> = codes.iter().map(|code| scan(&server, code, "entry")).collect();
        let fast = clients.send(&entries, 200).await?;
        check_all_admitted(&fast.responses)?;
        let exits = codes.iter().map(|code| scan(&server, code, "exit")).collect();
        let at_fixed_rate = open_loop::send(&server.address, SCANS_PER_SECOND, exits, 200).await?;
        check_all_admitted(at_fixed_rate.responses.iter().map(|(_, response)| response))?;
        let (after, seconds) = (request_counts(&server.internal_address).await?, start.elapsed().as_secs_f64());
        sale.is_over.store(true, Ordering::Relaxed);
        while let Some(ended) = visitors.join_next().await {
            ended??;
        }
        let paid = sale.bought.load(Ordering::Relaxed) - bought;
        add_round(&mut measures, &fast, &at_fixed_rate, (after.0 - before.0, after.1 - before.1), paid, seconds);
    }
    measures.print();
    Ok(())
}
