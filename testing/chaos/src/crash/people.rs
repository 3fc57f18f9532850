//! Buys, scans and refunds until stopped, and repeats every request that got no response.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use rand::RngExt;
use rand::rngs::StdRng;
use tokio::sync::watch;
use voelgoed_testkit::buyer::{AcknowledgedOrder, OrderRequest, TestBuyer, acknowledged_order, granted_hold};
use voelgoed_testkit::http_client::{ApiClient, ApiResponse};
use voelgoed_testkit::organizer::{TestEvent, TestOrganizer, text};
use voelgoed_testkit::scanner::{TestScanner, scan_outcome};
use voelgoed_testkit::until::until;

use super::record::{CrashRecord, ScanRecord};
use super::{BUYERS, SEATS};
use crate::clients::{IssuedTicket, OrderRecord, RefundRecord, is_final, repeat_until_final};

/// For a killed server to come back.
const RESTART_TIMEOUT: Duration = Duration::from_secs(120);
/// One order in this many is refunded.
const ORDERS_PER_REFUND: usize = 9;
/// One ticket in this many is scanned a second time on purpose.
const SCANS_PER_SECOND_SCAN: u32 = 4;
const QUEUE_POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Shared by all clients of the crash suite.
#[derive(Debug, Clone)]
pub struct CrashPeople {
    /// The event on sale.
    pub event: TestEvent,
    /// Refunds tickets.
    pub organizer: TestOrganizer,
    /// Scans at the gate.
    pub scanner: TestScanner,
    /// The responses so far.
    pub record: Arc<CrashRecord>,
    /// True stops all clients.
    pub stopped: watch::Receiver<bool>,
}

impl CrashPeople {
    fn is_stopped(&self) -> bool {
        *self.stopped.borrow()
    }

    async fn repeat<F: Future<Output = anyhow::Result<ApiResponse>>>(
        &self,
        request: impl FnMut() -> F,
    ) -> anyhow::Result<ApiResponse> {
        let lost = |attempt: anyhow::Result<ApiResponse>| {
            self.record.lock().lost_responses += usize::from(attempt.is_err());
        };
        repeat_until_final(RESTART_TIMEOUT, is_final, request, lost).await
    }

    /// Buys seats of the buyer's own column of the plan, and places of the floor, paid by every method that ends well.
    pub async fn buy(self, client: ApiClient, mut random: StdRng, number: u32) -> anyhow::Result<()> {
        let mut seat = number;
        while !self.is_stopped() {
            let buyer = TestBuyer::new(client.clone());
            let seated = random.random_bool(0.4) && seat < SEATS;
            let place = seat;
            let hold = self.repeat(|| {
                let (mut buyer, event) = (buyer.clone(), self.event.clone());
                async move {
                    if seated { buyer.hold_seat(&event, place).await } else { buyer.hold_general(&event, 1).await }
                }
            });
            let response = hold.await?;
            if seated {
                seat += u32::try_from(BUYERS)?;
            }
            if response.status == 409 {
                // A hold whose response was lost still exists, or its seat is in an order: try another place.
                continue;
            }
            let method = ["ok", "ok", "ok", "twice", "lost"][random.random_range(0..5)];
            let request = OrderRequest::new(&granted_hold(response)?, method);
            let response = self.repeat(|| {
                let (mut buyer, request) = (buyer.clone(), request.clone());
                async move { buyer.order(&request).await }
            });
            let response = response.await?;
            if response.status == 410 {
                self.record.lock().lost_holds += 1;
                continue;
            }
            let order = acknowledged_order(response)?;
            self.record.lock().orders.push(OrderRecord { request, order: order.clone() });
            self.follow(buyer, &order).await?;
        }
        Ok(())
    }

    /// Waits until an order is paid, and queues its tickets.
    async fn follow(&self, buyer: TestBuyer, order: &AcknowledgedOrder) -> anyhow::Result<()> {
        let paid = until("a paid order", RESTART_TIMEOUT, || {
            let mut buyer = buyer.clone();
            async move {
                let Ok(seen) = buyer.read_order(order).await else { return Ok(None) };
                Ok((seen["state"] != "awaiting_payment").then_some(seen))
            }
        });
        let seen = paid.await?;
        let mut records = self.record.lock();
        let refund = records.orders.len().is_multiple_of(ORDERS_PER_REFUND);
        records.tickets.add_tickets(&seen, refund)
    }

    /// Scans tickets at the gate.
    pub async fn scan(self, mut random: StdRng) -> anyhow::Result<()> {
        while !self.is_stopped() {
            let next = self.record.lock().tickets.to_scan.pop_front();
            let Some(ticket) = next else {
                tokio::time::sleep(QUEUE_POLL_INTERVAL).await;
                continue;
            };
            self.check_scan(&ticket, "admitted").await?;
            if random.random_ratio(1, SCANS_PER_SECOND_SCAN) {
                self.check_scan(&ticket, "already_used").await?;
            }
        }
        Ok(())
    }

    /// Sends one scan, repeated under its own id until there is a response, which must be `expected`.
    async fn check_scan(&self, ticket: &IssuedTicket, expected: &str) -> anyhow::Result<()> {
        let request = self.scanner.scan_of(&ticket.code);
        let scan = self.repeat(|| self.scanner.send(&request)).await?.must(200)?;
        let outcome = scan_outcome(&scan);
        ensure!(outcome == expected, "{} is {outcome} instead of {expected}: {scan}", ticket.id);
        self.record.lock().scans.push(ScanRecord { request, ticket: ticket.clone(), outcome });
        Ok(())
    }

    /// Refunds tickets.
    pub async fn refund(self) -> anyhow::Result<()> {
        while !self.is_stopped() {
            let next = self.record.lock().tickets.to_refund.pop_front();
            let Some(ticket) = next else {
                tokio::time::sleep(QUEUE_POLL_INTERVAL).await;
                continue;
            };
            let key = format!("refund-{}", ticket.id);
            let response = self.repeat(|| async { self.organizer.refund(&ticket.order, &[&ticket.id], &key).await });
            let refund = text(&response.await?.must(201)?, "id")?;
            self.record.lock().refunds.push(RefundRecord { refund, ticket });
        }
        Ok(())
    }
}
