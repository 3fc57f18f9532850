//! What a refusal costs beside the command that it stands for: processor time of the server per request, beyond that of an empty route (P10).
//!
//! The warm tier is a real Redis that is stopped (SIGSTOP) and goes on; the cold one is SQLite, whose disk is made to refuse (`prlimit`). A
//! refused request is a whole one, with its body, its token and its key: the same that is served when everything is there. The empty route is
//! measured beside each, so that whatever the server does by itself meanwhile is on both sides.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Parser;
use voelgoed_stress::client::{Connection, get};
use voelgoed_stress::crowd::{Crowd, Round};
use voelgoed_stress::measure::Measures;
use voelgoed_stress::options::Options;
use voelgoed_stress::process::give_way;
use voelgoed_stress::sale::{CONCERT, Held, STADIUM, Show, all_admitted, buy_all, scan};
use voelgoed_stress::shop::Shop;
use voelgoed_testkit::redis::RedisServer;
use voelgoed_testkit::until::until;

const CONNECTIONS: usize = 32;
/// Cheap ones are sent more often: the kernel counts processor time in hundredths of a second.
const CHEAP: usize = 20_000;
const HOLDS: usize = 4_000;
const ORDERS: usize = 1_000;
/// Of the hall's 1,900, in each round; each goes in and out.
const TICKETS: usize = 300;
/// Below the 20 places that one session may hold.
const HOLDS_PER_SESSION: usize = 10;
/// What is broken is known by then, and what is mended too.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everybody.
struct Bench {
    options: Options,
    redis: RedisServer,
    shop: Shop,
    concert: Show,
    stadium: Show,
    crowd: Crowd,
    measures: Measures,
}

/// Microseconds of the server per request.
struct Costs {
    empty: f64,
    hold: f64,
    order: f64,
    scan: f64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    give_way()?;
    let redis = RedisServer::start(&options.data).await?;
    let shop = Shop::open_with(&options, "refusals", &[("VOELGOED__WARM__URL", redis.url())])?;
    let (concert, stadium) = (Show::of(&shop, CONCERT).await?, Show::of(&shop, STADIUM).await?);
    let crowd = Crowd::open(&shop.address, CONNECTIONS).await?;
    let mut bench = Bench { options, redis, shop, concert, stadium, crowd, measures: Measures::default() };
    // The first round warms caches and connections, and is not counted.
    for round in 0..=bench.options.rounds {
        bench.round(round).await?;
    }
    bench.measures.print();
    Ok(())
}

impl Bench {
    /// Served, refused, mended.
    async fn round(&mut self, round: usize) -> anyhow::Result<()> {
        let (served, orders, scans) = self.served(round).await?;
        self.redis.pause()?;
        self.reaches("warm", "down").await?;
        let seat = self.stadium.seats[0];
        let sessions = self.stadium.sessions(&mut self.crowd, 1).await?;
        let cheap = self.options.scaled(CHEAP);
        let holds = vec![self.stadium.hold(&[seat], &sessions[0]); cheap];
        let orders: Vec<_> = orders.iter().cycle().take(cheap).cloned().collect();
        let empty = self.cost(&vec![get("/livez"); cheap], 200).await?.0;
        let (hold, order) = (self.cost(&holds, 503).await?.0, self.cost(&orders, 503).await?.0);
        disk(&self.shop, false)?;
        self.until_scans_are_refused(&scans[0]).await?;
        let scans: Vec<_> = scans.iter().cycle().take(cheap).cloned().collect();
        let scan = self.cost(&scans, 503).await?.0;
        disk(&self.shop, true)?;
        self.redis.resume()?;
        self.reaches("warm", "up").await?;
        self.reaches("cold", "up").await?;
        if round > 0 {
            self.note(&served, &Costs { empty, hold, order, scan });
        }
        Ok(())
    }

    /// The commands while everything is there; with requests that can be repeated when it is not.
    async fn served(&mut self, round: usize) -> anyhow::Result<(Costs, Vec<Vec<u8>>, Vec<Vec<u8>>)> {
        let empty = self.cost(&vec![get("/livez"); self.options.scaled(CHEAP)], 200).await?.0;
        let (count, ordered) = (self.options.scaled(HOLDS), self.options.scaled(ORDERS));
        let sessions = self.stadium.sessions(&mut self.crowd, count.div_ceil(HOLDS_PER_SESSION)).await?;
        // Every round orders some seats for good, so each has its own.
        let mine = self.stadium.seats.len() / (self.options.rounds + 1);
        let seats: Vec<u32> = self.stadium.seats[round * mine..][..count.min(mine)].to_vec();
        let requests: Vec<_> =
            seats.iter().zip(sessions.iter().cycle()).map(|(seat, who)| self.stadium.hold(&[*seat], who)).collect();
        let (hold, held) = self.cost(&requests, 201).await?;
        let held: Vec<Held> = held.answers.iter().map(Held::of).collect::<Result<_, _>>()?;
        let orders: Vec<_> = held.iter().take(ordered).map(Held::order).collect();
        let order = self.cost(&orders, 201).await?.0;
        // Refused are those of which nothing is known: one that was taken is answered again.
        let orders = held.iter().take(ordered).map(Held::order_anew).collect();
        let releases: Vec<_> = held.iter().skip(ordered).map(Held::release).collect();
        self.crowd.send(&releases, 204).await?;
        let tickets = self.options.scaled(TICKETS);
        let seats: Vec<u32> = self.concert.seats[round * tickets..][..tickets].to_vec();
        let codes = buy_all(&self.shop, &self.concert, &mut self.crowd, &seats).await?;
        let mut scans = Vec::new();
        let mut scan_cost = 0.0;
        for way in ["entry", "exit"] {
            let requests: Vec<_> = codes.iter().map(|code| scan(&self.shop, code, way)).collect();
            let (cost, scanned) = self.cost(&requests, 200).await?;
            all_admitted(&scanned.answers)?;
            scan_cost += cost / 2.0;
            scans.extend(requests);
        }
        Ok((Costs { empty, hold, order, scan: scan_cost }, orders, scans))
    }

    /// What each of these requests costs the server, in microseconds of processor time.
    async fn cost(&mut self, requests: &[Vec<u8>], status: u16) -> anyhow::Result<(f64, Round)> {
        let before = self.shop.cpu_seconds()?;
        let round = self.crowd.send(requests, status).await?;
        Ok(((self.shop.cpu_seconds()? - before) * 1e6 / requests.len() as f64, round))
    }

    fn note(&mut self, served: &Costs, refused: &Costs) {
        let measures = &mut self.measures;
        measures.add("empty route", "µs", served.empty);
        measures.add("empty route, while something is away", "µs", refused.empty);
        for (name, served_cost, refused_cost) in [
            ("hold", served.hold, refused.hold),
            ("order", served.order, refused.order),
            ("scan", served.scan, refused.scan),
        ] {
            let beyond = (refused_cost - refused.empty).max(0.0);
            measures.add(format!("{name}, served"), "µs", served_cost);
            measures.add(format!("{name}, refused"), "µs", refused_cost);
            measures.add(
                format!("{name}: refused / served, beyond the empty route"),
                "",
                beyond / (served_cost - served.empty),
            );
        }
    }

    /// Waits until `/readyz` says so of a dependency. Who follows the map asks the warm tier, so nobody else need.
    async fn reaches(&self, dependency: &str, health: &str) -> anyhow::Result<()> {
        until(&format!("{dependency} is {health}"), PATIENCE, || async {
            Ok((self.health(dependency).await? == health).then_some(()))
        })
        .await
    }

    async fn until_scans_are_refused(&self, scan: &[u8]) -> anyhow::Result<()> {
        until("scans are refused", PATIENCE, || async {
            let answer = Connection::open(&self.shop.address).await?.send(scan).await?;
            ensure!(matches!(answer.status, 200 | 503), "a scan was answered {}", answer.status);
            Ok((answer.status == 503 && self.health("cold").await? != "up").then_some(()))
        })
        .await
    }

    async fn health(&self, dependency: &str) -> anyhow::Result<String> {
        let ready = Connection::open(&self.shop.internal).await?.send(&get("/readyz")).await?.json()?;
        let all = ready["dependencies"].as_array().context("dependencies")?;
        let found = all.iter().find(|one| one["dependency"] == dependency).context("the dependency")?;
        Ok(found["health"].as_str().unwrap_or_default().to_owned())
    }
}

/// Lets the server write files, or refuses it; what it reads goes on.
fn disk(shop: &Shop, writes: bool) -> anyhow::Result<()> {
    let limit = if writes { "--fsize=unlimited:unlimited" } else { "--fsize=0:unlimited" };
    let status = Command::new("prlimit").args(["--pid", &shop.pid().to_string(), limit]).status()?;
    ensure!(status.success(), "prlimit: {status}");
    Ok(())
}
