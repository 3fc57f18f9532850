//! Runs a buyer, another organization's gate and health checks beside an attack, and counts their refusals and latencies.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use reqwest::Method;
use voelgoed_testkit::buyer::{OrderRequest, TestBuyer, granted_hold};
use voelgoed_testkit::http_client::{ApiCall, ApiClient, ApiResponse};
use voelgoed_testkit::organizer::TestEvent;
use voelgoed_testkit::scanner::TestScanner;

/// Between two requests of the same bystander.
const REQUEST_INTERVAL: Duration = Duration::from_millis(100);
/// One hold in this many is ordered; the others are released.
const HOLDS_PER_ORDER: u32 = 10;
/// The demo's own limits refuse some requests of a buyer.
const REFUSED_PERCENT_MAX: usize = 2;

/// The bystanders of an attack.
pub struct Bystanders {
    /// Serves the buyer and the gate.
    pub url: String,
    /// Serves health checks.
    pub internal_url: String,
    /// The event of which the buyer buys.
    pub event: TestEvent,
    /// The other organization's scanner.
    pub gate: TestScanner,
    /// The ticket that is scanned at the gate.
    pub code: String,
}

/// The requests of one bystander.
#[derive(Debug, Default)]
pub struct BystanderRequests {
    served: Vec<Duration>,
    refused: Vec<String>,
}

/// The requests of all bystanders.
#[derive(Debug, Default)]
pub struct BystanderResults {
    pub buyer: BystanderRequests,
    pub gate: BystanderRequests,
    /// Health checks.
    pub health: BystanderRequests,
}

impl BystanderRequests {
    async fn record(
        &mut self,
        status: u16,
        request: impl Future<Output = anyhow::Result<ApiResponse>>,
    ) -> Option<ApiResponse> {
        let start = Instant::now();
        match request.await {
            Ok(response) if response.status == status => {
                self.served.push(start.elapsed());
                Some(response)
            }
            Ok(response) => {
                self.refused.push(format!("{} {}", response.status, response.body));
                None
            }
            Err(error) => {
                self.refused.push(format!("{error:#}"));
                None
            }
        }
    }

    /// Checks that nearly all requests were served.
    pub fn check_mostly_served(&self) -> anyhow::Result<()> {
        let (served, refused) = (self.served.len(), self.refused.len());
        ensure!(served > 0, "nothing was served: {:?}", self.refused.first());
        let is_rare = refused * 100 <= REFUSED_PERCENT_MAX * (served + refused);
        ensure!(is_rare, "{refused} of {} were refused, first {:?}", served + refused, self.refused.first());
        Ok(())
    }

    /// Checks that all requests were served.
    pub fn check_all_served(&self) -> anyhow::Result<()> {
        let (served, refused) = (self.served.len(), self.refused.len());
        ensure!(
            served > 0 && refused == 0,
            "{refused} of {} were refused, first {:?}",
            served + refused,
            self.refused.first()
        );
        Ok(())
    }

    fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.served.clone();
        sorted.sort_unstable();
        sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

impl BystanderResults {
    /// Prints counts and latencies beside those without an attack.
    pub fn print(&self, way: &str, attack: &str, quiet: &Self) {
        for (bystander, now, before) in [
            ("buyer", &self.buyer, &quiet.buyer),
            ("gate", &self.gate, &quiet.gate),
            ("livez", &self.health, &quiet.health),
        ] {
            let ms = |took: Duration| took.as_secs_f64() * 1e3;
            let (p99, p99_before) = (ms(now.percentile(99)), ms(before.percentile(99)));
            println!(
                "{way}, {attack}, {bystander}: {} served, {} refused, p50 {:.1} ms, p99 {p99:.1} ms, {:.1} times the quiet p99",
                now.served.len(),
                now.refused.len(),
                ms(now.percentile(50)),
                p99 / p99_before.max(0.001),
            );
        }
    }
}

impl Bystanders {
    /// Runs all bystanders for `duration`.
    pub async fn run(&self, duration: Duration) -> anyhow::Result<BystanderResults> {
        let end = tokio::time::Instant::now() + duration;
        let (buyer, gate, health) = tokio::join!(self.buy(end), self.scan(end), self.check_health(end));
        Ok(BystanderResults { buyer: buyer?, gate: gate?, health: health? })
    }

    async fn buy(&self, end: tokio::time::Instant) -> anyhow::Result<BystanderRequests> {
        let mut requests = BystanderRequests::default();
        let client = ApiClient::new(&self.url)?;
        let mut ticks = tokio::time::interval(REQUEST_INTERVAL);
        for visit in 1.. {
            ticks.tick().await;
            if tokio::time::Instant::now() >= end {
                break;
            }
            let mut buyer = TestBuyer::new(client.clone());
            let Some(response) = requests.record(201, buyer.hold_general(&self.event, 1)).await else { continue };
            let hold = granted_hold(response)?;
            if visit % HOLDS_PER_ORDER == 0 {
                requests.record(201, buyer.order(&OrderRequest::new(&hold, "ok"))).await;
            } else {
                let path = format!("/api/v1/holds/{}", hold.id);
                let call = ApiCall { token: Some(&hold.token), ..ApiCall::default() };
                requests.record(204, client.call(Method::DELETE, &path, call)).await;
            }
        }
        Ok(requests)
    }

    async fn scan(&self, end: tokio::time::Instant) -> anyhow::Result<BystanderRequests> {
        let mut requests = BystanderRequests::default();
        let gate = self.gate.at(&ApiClient::new(&self.url)?);
        let mut ticks = tokio::time::interval(REQUEST_INTERVAL);
        while tokio::time::Instant::now() < end {
            ticks.tick().await;
            let response = requests.record(200, gate.send(&gate.scan_of(&self.code))).await;
            if let Some(response) = response {
                response.json()["result"].as_str().context("a scan has a result")?;
            }
        }
        Ok(requests)
    }

    async fn check_health(&self, end: tokio::time::Instant) -> anyhow::Result<BystanderRequests> {
        let mut requests = BystanderRequests::default();
        let clients = [(ApiClient::new(&self.url)?, "/livez"), (ApiClient::new(&self.internal_url)?, "/readyz")];
        let mut ticks = tokio::time::interval(REQUEST_INTERVAL);
        while tokio::time::Instant::now() < end {
            ticks.tick().await;
            for (client, path) in &clients {
                requests.record(200, client.call(Method::GET, path, ApiCall::default())).await;
            }
        }
        Ok(requests)
    }
}
