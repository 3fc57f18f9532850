//! Compares the cost of a refusal with that of the served command: processor time of the server per request, beyond that of an empty route (P10).
//!
//! The warm tier is a real Redis that is paused (SIGSTOP) and continued; the cold tier is SQLite, whose writes are refused (`prlimit`). A refused
//! request is complete, with body, token and key. The empty route is measured beside each, so that background work of the server counts on both sides.

use std::time::Duration;

use anyhow::ensure;
use clap::Parser;
use voelgoed_stress::bench_server::bench_server_options;
use voelgoed_stress::closed_loop::{ClosedLoop, ClosedLoopRound};
use voelgoed_stress::measures::Measures;
use voelgoed_stress::options::BenchOptions;
use voelgoed_stress::process::{server_cpu_seconds, use_batch_scheduling};
use voelgoed_stress::raw_client::{RawConnection, get};
use voelgoed_stress::sale::{CONCERT, HeldSeats, STADIUM, SaleEvent, buy_all, check_all_admitted, scan};
use voelgoed_testkit::redis::RedisServer;
use voelgoed_testkit::server::{ServerOptions, TestServer};
use voelgoed_testkit::until::until;

const CONNECTIONS: usize = 32;
/// Cheap requests are repeated more often, since the kernel counts processor time in hundredths of a second.
const CHEAP_REQUESTS: usize = 20_000;
const HOLDS: usize = 4_000;
const ORDERS: usize = 1_000;
/// Of the hall's 1,900 seats in each round; each ticket enters and exits.
const TICKETS: usize = 300;
/// Below the 20 places that one session may hold.
const HOLDS_PER_SESSION: usize = 10;
/// For the server to notice an outage or its end.
const DETECTION_TIMEOUT: Duration = Duration::from_secs(60);

/// The servers, their load, and the measurements.
struct RefusalBench {
    options: BenchOptions,
    redis: RedisServer,
    server: TestServer,
    concert: SaleEvent,
    stadium: SaleEvent,
    clients: ClosedLoop,
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
    let options = BenchOptions::parse();
    use_batch_scheduling()?;
    let redis = RedisServer::start(&options.data).await?;
    let settings = [("VOELGOED__WARM__URL", redis.url())];
    let server_options = bench_server_options(&options, "refusals", &settings)?;
    let server = TestServer::started(ServerOptions { survives_full_disk: true, ..server_options }).await?;
    let (concert, stadium) = (SaleEvent::of(&server, CONCERT).await?, SaleEvent::of(&server, STADIUM).await?);
    let clients = ClosedLoop::open(&server.address, CONNECTIONS).await?;
    let mut bench = RefusalBench { options, redis, server, concert, stadium, clients, measures: Measures::default() };
    // The first round warms caches and connections, and is not counted.
    for round in 0..=bench.options.rounds {
        bench.round(round).await?;
    }
    bench.measures.print();
    Ok(())
}

impl RefusalBench {
    /// Measures the commands while everything is available, then their refusals, and restores the stores.
    async fn round(&mut self, round: usize) -> anyhow::Result<()> {
        let (served, orders, scans) = self.served(round).await?;
        self.redis.pause()?;
        self.wait_for_health("warm", "down").await?;
        let seat = self.stadium.seats[0];
        let sessions = self.stadium.sessions(&mut self.clients, 1).await?;
        let cheap = self.options.scaled(CHEAP_REQUESTS);
        let holds = vec![self.stadium.hold(&[seat], &sessions[0]); cheap];
        let orders: Vec<_> = orders.iter().cycle().take(cheap).cloned().collect();
        let empty = self.cost(&vec![get("/livez"); cheap], 200).await?.0;
        let (hold, order) = (self.cost(&holds, 503).await?.0, self.cost(&orders, 503).await?.0);
        self.server.allow_file_writes(false)?;
        self.until_scans_are_refused(&scans[0]).await?;
        let scans: Vec<_> = scans.iter().cycle().take(cheap).cloned().collect();
        let scan = self.cost(&scans, 503).await?.0;
        self.server.allow_file_writes(true)?;
        self.redis.resume()?;
        self.wait_for_health("warm", "up").await?;
        self.wait_for_health("cold", "up").await?;
        if round > 0 {
            self.note(&served, &Costs { empty, hold, order, scan });
        }
        Ok(())
    }

    /// Measures the commands while all stores are available; returns requests to repeat while they are not.
    async fn served(&mut self, round: usize) -> anyhow::Result<(Costs, Vec<Vec<u8>>, Vec<Vec<u8>>)> {
        let empty = self.cost(&vec![get("/livez"); self.options.scaled(CHEAP_REQUESTS)], 200).await?.0;
        let (count, ordered) = (self.options.scaled(HOLDS), self.options.scaled(ORDERS));
        let sessions = self.stadium.sessions(&mut self.clients, count.div_ceil(HOLDS_PER_SESSION)).await?;
        // Every round sells some seats for good, so each round has its own.
        let mine = self.stadium.seats.len() / (self.options.rounds + 1);
        let seats: Vec<u32> = self.stadium.seats[round * mine..][..count.min(mine)].to_vec();
        let requests: Vec<_> = seats
            .iter()
            .zip(sessions.iter().cycle())
            .map(|(seat, session)| self.stadium.hold(&[*seat], session))
            .collect();
        let (hold, held) = self.cost(&requests, 201).await?;
        let held: Vec<HeldSeats> = held.responses.iter().map(HeldSeats::read).collect::<Result<_, _>>()?;
        let orders: Vec<_> = held.iter().take(ordered).map(HeldSeats::order).collect();
        let order = self.cost(&orders, 201).await?.0;
        // An order that was placed would be replayed, so the refused ones have new keys.
        let orders = held.iter().take(ordered).map(HeldSeats::order_with_new_key).collect();
        let releases: Vec<_> = held.iter().skip(ordered).map(HeldSeats::release).collect();
        self.clients.send(&releases, 204).await?;
        let tickets = self.options.scaled(TICKETS);
        let seats: Vec<u32> = self.concert.seats[round * tickets..][..tickets].to_vec();
        let codes = buy_all(&self.server, &self.concert, &mut self.clients, &seats).await?;
        let mut scans = Vec::new();
        let mut scan_cost = 0.0;
        for direction in ["entry", "exit"] {
            let requests: Vec<_> = codes.iter().map(|code| scan(&self.server, code, direction)).collect();
            let (cost, scanned) = self.cost(&requests, 200).await?;
            check_all_admitted(&scanned.responses)?;
            scan_cost += cost / 2.0;
            scans.extend(requests);
        }
        Ok((Costs { empty, hold, order, scan: scan_cost }, orders, scans))
    }

    /// The server's processor time per request, in microseconds.
    async fn cost(&mut self, requests: &[Vec<u8>], status: u16) -> anyhow::Result<(f64, ClosedLoopRound)> {
        let before = server_cpu_seconds(&self.server)?;
        let round = self.clients.send(requests, status).await?;
        Ok(((server_cpu_seconds(&self.server)? - before) * 1e6 / requests.len() as f64, round))
    }

    fn note(&mut self, served: &Costs, refused: &Costs) {
        let measures = &mut self.measures;
        measures.add("empty route", "µs", served.empty);
        measures.add("empty route, while a store is down", "µs", refused.empty);
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

    /// Waits until `/readyz` reports the health of a dependency. The node itself probes the warm tier, so no request is needed.
    async fn wait_for_health(&self, dependency: &str, health: &str) -> anyhow::Result<()> {
        until(&format!("{dependency} is {health}"), DETECTION_TIMEOUT, || async {
            Ok((self.server.dependency_health(dependency).await? == health).then_some(()))
        })
        .await
    }

    async fn until_scans_are_refused(&self, scan: &[u8]) -> anyhow::Result<()> {
        until("scans are refused", DETECTION_TIMEOUT, || async {
            let response = RawConnection::open(&self.server.address).await?.send(scan).await?;
            ensure!(matches!(response.status, 200 | 503), "a scan was answered {}", response.status);
            Ok((response.status == 503 && self.server.dependency_health("cold").await? != "up").then_some(()))
        })
        .await
    }
}
