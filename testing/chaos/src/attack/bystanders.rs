//! Who is there beside the attacker: a stranger who holds, releases and buys, a gate that scans, and whoever asks whether the server lives.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use reqwest::Method;
use voelgoed_testkit::buyer::{Buyer, Hold, OrderRequest, held};
use voelgoed_testkit::client::{Answer, Call, Client};
use voelgoed_testkit::organizer::Event;
use voelgoed_testkit::scanner::Scanner;

/// Between two acts of the same person.
const PACE: Duration = Duration::from_millis(100);
/// One hold in so many is ordered, the others are given back.
const ORDERS: u32 = 10;
/// Refusals in a hundred that a buyer meets anyway: the demo's own limits.
const REFUSED_PERCENT_MAX: usize = 2;

/// They and what they need.
pub struct Bystanders {
    /// Where the stranger and the gate go.
    pub url: String,
    /// Where the operator looks.
    pub internal_url: String,
    /// What the stranger buys.
    pub event: Event,
    /// The other organization's scanner.
    pub gate: Scanner,
    /// The ticket that is shown there.
    pub code: String,
}

/// What one of them has seen.
#[derive(Debug, Default)]
pub struct Tally {
    took: Vec<Duration>,
    refused: Vec<String>,
}

/// What all of them have seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// The stranger.
    pub stranger: Tally,
    /// The gate.
    pub gate: Tally,
    /// Who asks for health.
    pub health: Tally,
}

impl Tally {
    async fn note(&mut self, status: u16, call: impl Future<Output = anyhow::Result<Answer>>) -> Option<Answer> {
        let began = Instant::now();
        match call.await {
            Ok(answer) if answer.status == status => {
                self.took.push(began.elapsed());
                Some(answer)
            }
            Ok(answer) => {
                self.refused.push(format!("{} {}", answer.status, answer.body));
                None
            }
            Err(error) => {
                self.refused.push(format!("{error:#}"));
                None
            }
        }
    }

    /// That nearly everything was served.
    ///
    /// # Errors
    /// With the first refusal.
    pub fn served(&self) -> anyhow::Result<()> {
        let (served, refused) = (self.took.len(), self.refused.len());
        ensure!(served > 0, "nothing was served: {:?}", self.refused.first());
        let is_rare = refused * 100 <= REFUSED_PERCENT_MAX * (served + refused);
        ensure!(is_rare, "{refused} of {} were refused, first {:?}", served + refused, self.refused.first());
        Ok(())
    }

    /// That all was served.
    ///
    /// # Errors
    /// With the first refusal.
    pub fn always_served(&self) -> anyhow::Result<()> {
        let (served, refused) = (self.took.len(), self.refused.len());
        ensure!(
            served > 0 && refused == 0,
            "{refused} of {} were refused, first {:?}",
            served + refused,
            self.refused.first()
        );
        Ok(())
    }

    fn at(&self, percent: usize) -> Duration {
        let mut sorted = self.took.clone();
        sorted.sort_unstable();
        sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

impl Seen {
    /// Prints counts and latencies, beside those of a quiet time.
    pub fn print(&self, way: &str, strike: &str, quiet: &Self) {
        for (who, now, before) in [
            ("stranger", &self.stranger, &quiet.stranger),
            ("gate", &self.gate, &quiet.gate),
            ("livez", &self.health, &quiet.health),
        ] {
            let ms = |took: Duration| took.as_secs_f64() * 1e3;
            let (p99, p99_before) = (ms(now.at(99)), ms(before.at(99)));
            println!(
                "{way}, {strike}, {who}: {} served, {} refused, p50 {:.1} ms, p99 {p99:.1} ms, {:.1} times the quiet p99",
                now.took.len(),
                now.refused.len(),
                ms(now.at(50)),
                p99 / p99_before.max(0.001),
            );
        }
    }
}

impl Bystanders {
    /// What they see for so long.
    pub async fn watch(&self, lasts: Duration) -> anyhow::Result<Seen> {
        let end = tokio::time::Instant::now() + lasts;
        let (stranger, gate, health) = tokio::join!(self.stranger(end), self.gate(end), self.health(end));
        Ok(Seen { stranger: stranger?, gate: gate?, health: health? })
    }

    async fn stranger(&self, end: tokio::time::Instant) -> anyhow::Result<Tally> {
        let mut tally = Tally::default();
        let client = Client::new(&self.url)?;
        let mut pace = tokio::time::interval(PACE);
        for visit in 1.. {
            pace.tick().await;
            if tokio::time::Instant::now() >= end {
                break;
            }
            let mut buyer = Buyer::new(client.clone());
            let Some(answer) = tally.note(201, buyer.hold_general(&self.event, 1)).await else { continue };
            let hold: Hold = held(answer)?;
            if visit % ORDERS == 0 {
                tally.note(201, buyer.order(&OrderRequest::new(&hold, "ok"))).await;
            } else {
                let path = format!("/api/v1/holds/{}", hold.id);
                let call = Call { token: Some(&hold.token), ..Call::default() };
                tally.note(204, client.call(Method::DELETE, &path, call)).await;
            }
        }
        Ok(tally)
    }

    async fn gate(&self, end: tokio::time::Instant) -> anyhow::Result<Tally> {
        let mut tally = Tally::default();
        let gate = self.gate.at(&Client::new(&self.url)?);
        let mut pace = tokio::time::interval(PACE);
        while tokio::time::Instant::now() < end {
            pace.tick().await;
            let answer = tally.note(200, gate.send(&gate.read(&self.code))).await;
            if let Some(answer) = answer {
                answer.body["result"].as_str().context("a scan has a result")?;
            }
        }
        Ok(tally)
    }

    async fn health(&self, end: tokio::time::Instant) -> anyhow::Result<Tally> {
        let mut tally = Tally::default();
        let clients = [(Client::new(&self.url)?, "/livez"), (Client::new(&self.internal_url)?, "/readyz")];
        let mut pace = tokio::time::interval(PACE);
        while tokio::time::Instant::now() < end {
            pace.tick().await;
            for (client, path) in &clients {
                tally.note(200, client.call(Method::GET, path, Call::default())).await;
            }
        }
        Ok(tally)
    }
}
