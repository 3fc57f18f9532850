//! A saturating sale on Redis and Postgres (which flushes) while a gate scans: scans a second, how long one takes, and how many of the sale's requests
//! touched the cold tier, by the server's own metric (P11).
//!
//! A visitor opens the page and the map, looks at availability five times and takes two seats; one in four goes on to buy, opens the order, follows it until
//! it is paid and opens it again. Visitors follow each other on 24 connections without a pause. First the gate scans as fast as it can, then at a fixed rate: latencies are of that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context, ensure};
use clap::Parser;
use tokio::task::JoinSet;
use voelgoed_stress::client::{Connection, get};
use voelgoed_stress::crowd::Crowd;
use voelgoed_stress::measure::Measures;
use voelgoed_stress::options::Options;
use voelgoed_stress::paced;
use voelgoed_stress::sale::{CONCERT, Held, Ordered, STADIUM, Show, all_admitted, buy_all, scan};
use voelgoed_stress::shop::Shop;
use voelgoed_testkit::cluster::Daemon;
use voelgoed_testkit::port::free_address;
use voelgoed_testkit::postgres::Postgres;
use voelgoed_testkit::redis::RedisServer;

const VISITORS: usize = 24;
/// Connections of the gate, while it is as fast as it can be.
const SCANNERS: usize = 8;
/// One visitor in so many buys.
const BUYS: usize = 4;
const LOOKS: usize = 5;
/// A key that guards nothing.
const MASTER: &str = "8f0e1b5c7d92a34466f1c0de29ab7835d1427c9be60f5a83174d2ce98b3fa650";
const SCANS_PER_SECOND: f64 = 50.0;
/// Of the hall's 1,900, in each round.
const TICKETS: usize = 300;

/// What the visitors share.
struct Sale {
    address: String,
    stadium: Show,
    /// The next pair of seats that nobody wanted yet.
    next: AtomicUsize,
    bought: AtomicUsize,
    is_over: AtomicBool,
}

impl Sale {
    /// One visitor after the other, until the sale is over.
    async fn visitors(&self) -> anyhow::Result<()> {
        let mut connection = Connection::open(&self.address).await?;
        let event = &self.stadium.event;
        while !self.is_over.load(Ordering::Relaxed) {
            let visit = self.next.fetch_add(1, Ordering::Relaxed);
            let seats = self.stadium.seats.get(visit * 2..visit * 2 + 2).context("the stadium is sold out")?;
            let page = connection.send(&get(&format!("/events/{event}"))).await?.expect(200)?;
            let session = page.header("x-session").context("a first contact gives a session")?.to_owned();
            connection.send(&get(&format!("/api/v1/events/{event}"))).await?.expect(200)?;
            for _ in 0..LOOKS {
                connection.send(&get(&format!("/api/v1/events/{event}/availability"))).await?.expect(200)?;
            }
            let held = Held::of(&connection.send(&self.stadium.hold(seats, &session)).await?.expect(201)?)?;
            if visit.is_multiple_of(BUYS) {
                let order = Ordered::of(&connection.send(&held.order()).await?.expect(201)?)?;
                order.watch_until_paid(&self.address, &mut connection).await?;
                self.bought.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}

/// Requests of the sale so far, and how many of them touched cold.
async fn counted(address: &str) -> anyhow::Result<(f64, f64)> {
    let answer = Connection::open(address).await?.send(&get("/metrics")).await?.expect(200)?;
    let text = String::from_utf8_lossy(answer.body());
    let count = |touched: &str| {
        let wanted = format!("touched_cold=\"{touched}\"");
        let mut lines = text.lines().filter(|line| line.starts_with("voelgoed_sale_requests_total{"));
        let line = lines.find(|line| line.contains(&wanted)).context("the metric is shown")?;
        line.rsplit(' ').next().and_then(|number| number.parse::<f64>().ok()).context("a metric has a number")
    };
    Ok((count("no")? + count("yes")?, count("yes")?))
}

/// The payment provider. Its callbacks reach nobody, since the shop's address is not known yet: the shop asks.
async fn provider(options: &Options) -> anyhow::Result<Daemon> {
    let address = free_address()?;
    let file = options.data.join(format!("sale-charges-{}.jsonl", std::process::id()));
    let mut command = tokio::process::Command::new(&options.voelgoed);
    command
        .args(["sandbox-psp", "--listen", &address, "--callback-url", "http://127.0.0.1:9/nowhere", "--file"])
        .arg(file);
    command.env("VOELGOED__SECRETS__MASTER", MASTER);
    let mut provider = Daemon::start("sandbox-psp", &address, command, &options.data)?;
    provider.listens().await?;
    Ok(provider)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    std::fs::create_dir_all(&options.data)?;
    let (redis, postgres) = (RedisServer::start(&options.data).await?, Postgres::start_flushing().await?);
    postgres.create_database("sale", "template0")?;
    let provider = provider(&options).await?;
    let settings = [
        ("VOELGOED__WARM__URL", redis.url()),
        ("VOELGOED__COLD__URL", postgres.url("sale")),
        ("VOELGOED__SECRETS__MASTER", MASTER.to_owned()),
        ("VOELGOED__SANDBOX__URL", format!("http://{}", provider.address)),
        ("VOELGOED__SALE__POLL_EVERY", "1s".to_owned()),
    ];
    let mut migrate = std::process::Command::new(&options.voelgoed);
    migrate.arg("migrate").envs(settings.iter().map(|(name, value)| (name, value))).stdout(std::process::Stdio::null());
    ensure!(migrate.status()?.success(), "the schema could not be made");
    let shop = Shop::open_with(&options, "sale", &settings)?;
    let (concert, stadium) = (Show::of(&shop, CONCERT).await?, Show::of(&shop, STADIUM).await?);
    let sale = Arc::new(Sale {
        address: shop.address.clone(),
        stadium,
        next: AtomicUsize::new(0),
        bought: AtomicUsize::new(0),
        is_over: AtomicBool::new(false),
    });
    let mut tickets = concert.seats.chunks_exact(options.scaled(TICKETS));
    let mut measures = Measures::default();
    for _ in 0..options.rounds {
        let mut crowd = Crowd::open(&shop.address, SCANNERS).await?;
        let here = tickets.next().context("the hall has no more seats; ask for fewer rounds")?;
        let codes = buy_all(&shop, &concert, &mut crowd, here).await?;
        sale.is_over.store(false, Ordering::Relaxed);
        let (start, before, bought) =
            (std::time::Instant::now(), counted(&shop.internal).await?, sale.bought.load(Ordering::Relaxed));
        let mut visitors = JoinSet::new();
        for _ in 0..VISITORS {
            let sale = Arc::clone(&sale);
            visitors.spawn(async move { sale.visitors().await });
        }
        let entries: Vec<_> = codes.iter().map(|code| scan(&shop, code, "entry")).collect();
        let fast = crowd.send(&entries, 200).await?;
        all_admitted(&fast.answers)?;
        let exits = codes.iter().map(|code| scan(&shop, code, "exit")).collect();
        let paced = paced::send(&shop.address, SCANS_PER_SECOND, exits, 200).await?;
        all_admitted(paced.answers.iter().map(|(_, answer)| answer))?;
        let (after, seconds) = (counted(&shop.internal).await?, start.elapsed().as_secs_f64());
        sale.is_over.store(true, Ordering::Relaxed);
        while let Some(ended) = visitors.join_next().await {
            ended??;
        }
        let (all, cold) = (after.0 - before.0, after.1 - before.1);
        measures.add("scans during the sale", "1/s", fast.per_second());
        measures.add("scan during the sale, p50", "ms", paced.latencies.millis(50.0));
        measures.add("scan during the sale, p99", "ms", paced.latencies.millis(99.0));
        measures.add("requests of the sale", "1/s", all / seconds);
        measures.add("orders paid", "1/s", (sale.bought.load(Ordering::Relaxed) - bought) as f64 / seconds);
        measures.add("requests that never touched cold", "%", 100.0 * (all - cold) / all);
    }
    measures.print();
    Ok(())
}
