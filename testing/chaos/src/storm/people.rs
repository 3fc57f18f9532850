//! Buys, scans, refunds and tries to read foreign data for one organization, at any node, until stopped; repeats every request that got no final response.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use rand::RngExt;
use rand::rngs::StdRng;
use reqwest::Method;
use serde_json::Value;
use tokio::sync::watch;
use voelgoed_testkit::buyer::{AcknowledgedOrder, OrderRequest, TestBuyer, acknowledged_order, granted_hold};
use voelgoed_testkit::http_client::{ApiCall, ApiClient, ApiResponse};
use voelgoed_testkit::organizer::{TestEvent, TestOrganizer, text};
use voelgoed_testkit::scanner::{TestScanner, scan_outcome};
use voelgoed_testkit::until::until;

use super::record::{Admission, ScanKnowledge, StormRecord, StormScan};
use crate::clients::{IssuedTicket, OrderRecord, RefundRecord, is_final, repeat_until_final};

/// For everything that was broken to recover.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(150);
/// Buyers who want each seat.
const RIVALS_PER_SEAT: u32 = 3;
/// One order in this many is refunded.
const ORDERS_PER_REFUND: usize = 7;
/// One ticket in this many is scanned twice at once, at both nodes.
const SCANS_PER_DOUBLE_SCAN: u32 = 3;
/// Between two requests of the same person.
const THINK_TIME_MILLIS: std::ops::Range<u64> = 20..300;
/// Between two repetitions of a scan.
const SCAN_REPEAT_INTERVAL: Duration = Duration::from_millis(100);

/// Shared by all clients of one organization.
#[derive(Debug, Clone)]
pub struct StormPeople {
    /// The event on sale.
    pub event: TestEvent,
    /// Refunds tickets.
    pub organizer: TestOrganizer,
    /// Scans at the gate.
    pub scanner: TestScanner,
    /// The responses so far.
    pub record: Arc<StormRecord>,
    /// The clients of the nodes.
    pub nodes: Vec<ApiClient>,
    /// The next seat to compete for, times [`RIVALS_PER_SEAT`].
    pub next_seat: Arc<AtomicU32>,
    /// How often the warm tier has lost data.
    pub warm_losses: Arc<AtomicU64>,
    /// The key of the other organization.
    pub foreign_key: String,
    /// True stops all clients.
    pub stopped: watch::Receiver<bool>,
}

impl StormPeople {
    fn is_stopped(&self) -> bool {
        *self.stopped.borrow()
    }

    async fn think(&self, random: &mut StdRng) {
        tokio::time::sleep(Duration::from_millis(random.random_range(THINK_TIME_MILLIS))).await;
    }

    /// Sends a request to one node after the other until there is a final response.
    async fn repeat<F: Future<Output = anyhow::Result<ApiResponse>>>(
        &self,
        first: usize,
        mut request: impl FnMut(ApiClient) -> F,
    ) -> anyhow::Result<ApiResponse> {
        let mut at = first;
        let next = || {
            let client = self.nodes[at % self.nodes.len()].clone();
            at += 1;
            request(client)
        };
        repeat_until_final(RECOVERY_TIMEOUT, is_final, next, |_| self.record.lock().repeated += 1).await
    }

    /// Buys seats that others want too, and places of the floor.
    pub async fn buy(self, mut random: StdRng) -> anyhow::Result<()> {
        while !self.is_stopped() {
            self.think(&mut random).await;
            let buyer = TestBuyer::new(self.nodes[0].clone());
            let seat = self.next_seat.fetch_add(1, Ordering::Relaxed) / RIVALS_PER_SEAT;
            let seated = random.random_bool(0.5) && seat < self.event.seated.1;
            let hold =
                self.repeat(random.random_range(0..8), |client| {
                    let (mut buyer, event) = (buyer.at(&client), &self.event);
                    async move {
                        if seated { buyer.hold_seat(event, seat).await } else { buyer.hold_general(event, 1).await }
                    }
                });
            let response = hold.await?;
            if response.status == 409 {
                self.record.lock().refused += 1;
                continue;
            }
            self.think(&mut random).await;
            let method = ["ok", "ok", "ok", "twice", "lost", "declined"][random.random_range(0..6)];
            let request = OrderRequest::new(&granted_hold(response)?, method);
            let response = self.repeat(random.random_range(0..8), |client| {
                let (mut buyer, request) = (buyer.at(&client), request.clone());
                async move { buyer.order(&request).await }
            });
            let response = response.await?;
            // The warm tier lost the hold, or an old copy of it granted a sold place: nothing is charged (P2).
            if response.status == 410 || response.code() == "place_taken" {
                self.record.lock().refused += 1;
                continue;
            }
            let order = acknowledged_order(response)?;
            self.record.lock().orders.push(OrderRecord { request, order: order.clone() });
            self.follow(&buyer, &order, random.random_range(0..8)).await?;
        }
        Ok(())
    }

    /// Waits until an order is paid or has ended, and queues its tickets.
    async fn follow(&self, buyer: &TestBuyer, order: &AcknowledgedOrder, first: usize) -> anyhow::Result<()> {
        let mut at = first;
        let ended = until("the end of an order", RECOVERY_TIMEOUT, || {
            let mut buyer = buyer.at(&self.nodes[at % self.nodes.len()]);
            at += 1;
            async move {
                let Ok(seen) = buyer.read_order(order).await else { return Ok(None) };
                Ok((seen["state"] != "awaiting_payment").then_some(seen))
            }
        });
        let seen = ended.await?;
        let mut records = self.record.lock();
        let refund = records.orders.len().is_multiple_of(ORDERS_PER_REFUND);
        records.tickets.add_tickets(&seen, refund)
    }

    /// Scans tickets at the gate.
    pub async fn scan(self, mut random: StdRng) -> anyhow::Result<()> {
        while !self.is_stopped() {
            let next = self.record.lock().tickets.to_scan.pop_front();
            let Some(ticket) = next else {
                self.think(&mut random).await;
                continue;
            };
            let first = random.random_range(0..8);
            if random.random_ratio(1, SCANS_PER_DOUBLE_SCAN) {
                let (one, two) = tokio::try_join!(
                    self.scan_until_durable(&ticket, first),
                    self.scan_until_durable(&ticket, first + 1)
                )?;
                self.record.lock().scans.extend([one, two]);
            } else {
                let scan = self.scan_until_durable(&ticket, first).await?;
                self.record.lock().scans.push(scan);
            }
        }
        Ok(())
    }

    /// Sends one scan, repeated under its own id until cold has it, as a device does.
    async fn scan_until_durable(&self, ticket: &IssuedTicket, first: usize) -> anyhow::Result<StormScan> {
        let request = self.scanner.scan_of(&ticket.code);
        let deadline = Instant::now() + RECOVERY_TIMEOUT;
        let (mut admission, mut losses) = (None, None);
        let scan = loop {
            let from = Instant::now();
            ensure!(from < deadline, "no durable response to a scan of {}", ticket.id);
            let sent = self.repeat(first, |client| {
                let (scanner, request) = (self.scanner.at(&client), request.clone());
                async move { scanner.send(&request).await }
            });
            let scan = sent.await?.must(200)?;
            let known_by = known_by(&scan);
            if scan["result"] == "admitted" && admission.is_none() {
                admission = Some(Admission { from, until: Instant::now(), known_by });
            }
            if known_by != ScanKnowledge::WarmAlone {
                self.record.lock().scans_by_cold += usize::from(known_by == ScanKnowledge::ColdAlone);
                break scan;
            }
            if losses.is_none() {
                losses = Some(self.warm_losses.load(Ordering::SeqCst));
                self.record.lock().scans_by_warm += 1;
            }
            tokio::time::sleep(SCAN_REPEAT_INTERVAL).await;
        };
        let warm_lost = losses.is_some_and(|losses| losses != self.warm_losses.load(Ordering::SeqCst));
        let (outcome, durable) = (scan_outcome(&scan), Instant::now());
        Ok(StormScan { ticket: ticket.clone(), outcome, admission, durable, warm_lost })
    }

    /// Refunds tickets and scans them afterwards, and tries to read data of the other organization (P7).
    pub async fn refund(self, mut random: StdRng) -> anyhow::Result<()> {
        while !self.is_stopped() {
            self.think(&mut random).await;
            self.try_foreign_read(random.random_range(0..8)).await?;
            let next = self.record.lock().tickets.to_refund.pop_front();
            let Some(ticket) = next else { continue };
            let key = format!("refund-{}", ticket.id);
            let response = self.repeat(random.random_range(0..8), |client| {
                let organizer = TestOrganizer { client, key: self.organizer.key.clone() };
                let (ticket, key) = (ticket.clone(), key.clone());
                async move { organizer.refund(&ticket.order, &[&ticket.id], &key).await }
            });
            let refund = text(&response.await?.must(201)?, "id")?;
            self.record.lock().refunds.push(RefundRecord { refund, ticket: ticket.clone() });
            let scan = self.scan_until_durable(&ticket, random.random_range(0..8)).await?;
            self.record.lock().scans_after_refund.push(scan);
        }
        Ok(())
    }

    async fn try_foreign_read(&self, first: usize) -> anyhow::Result<()> {
        let last = self.record.lock().orders.last().map(|record| record.order.id.clone());
        let Some(order) = last else { return Ok(()) };
        let path = format!("/api/v1/orders/{order}");
        let response = self.repeat(first, |client| {
            let (path, key) = (path.clone(), self.foreign_key.clone());
            async move { client.call(Method::GET, &path, ApiCall { bearer: Some(&key), ..ApiCall::default() }).await }
        });
        let response = response.await?;
        ensure!(response.status != 401, "the other organization's key is not known: {}", response.body);
        let mut records = self.record.lock();
        records.foreign_attempts += 1;
        if response.status != 404 {
            records.foreign_reads.push(format!("{order}: {} {}", response.status, response.body));
        }
        Ok(())
    }
}

fn known_by(scan: &Value) -> ScanKnowledge {
    match (scan["durable"] == true, scan["degraded"] == true) {
        (true, false) => ScanKnowledge::Both,
        (true, true) => ScanKnowledge::ColdAlone,
        (false, _) => ScanKnowledge::WarmAlone,
    }
}
