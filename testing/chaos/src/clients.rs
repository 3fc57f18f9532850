//! What the load suites share: acknowledged orders and refunds, issued tickets, and requests that are repeated until they have a final response.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;
use voelgoed_testkit::buyer::{AcknowledgedOrder, OrderRequest};
use voelgoed_testkit::http_client::{ApiClient, ApiResponse};
use voelgoed_testkit::organizer::{TestOrganizer, text};
use voelgoed_testkit::server::TestServer;
use voelgoed_testkit::until::until;

/// An acknowledged order with its request.
#[derive(Debug, Clone)]
pub struct OrderRecord {
    /// Can be repeated.
    pub request: OrderRequest,
    /// The order in the response.
    pub order: AcknowledgedOrder,
}

/// An acknowledged refund of one ticket.
#[derive(Debug, Clone)]
pub struct RefundRecord {
    /// `ref_…`
    pub refund: String,
    /// The refunded ticket.
    pub ticket: IssuedTicket,
}

/// A ticket of a paid order.
#[derive(Debug, Clone)]
pub struct IssuedTicket {
    /// `ord_…`
    pub order: String,
    /// `tkt_…`
    pub id: String,
    /// The text of its QR code.
    pub code: String,
}

/// Tickets that wait for a scan or a refund.
#[derive(Debug, Default)]
pub struct TicketQueues {
    /// To be scanned.
    pub to_scan: VecDeque<IssuedTicket>,
    /// To be refunded.
    pub to_refund: VecDeque<IssuedTicket>,
}

impl TicketQueues {
    /// Queues the tickets of a paid order for the gate or for a refund.
    pub fn add_tickets(&mut self, order: &Value, refund: bool) -> anyhow::Result<()> {
        for ticket in order["tickets"].as_array().into_iter().flatten() {
            let (id, code) = (text(ticket, "id")?, text(ticket, "code")?);
            let ticket = IssuedTicket { order: text(order, "id")?, id, code };
            if refund { &mut self.to_refund } else { &mut self.to_scan }.push_back(ticket);
        }
        Ok(())
    }
}

/// Neither an error of the server (5xx) nor a refusal by a rate limit.
pub const fn is_final(status: u16) -> bool {
    status < 500 && status != 429
}

/// Repeats a request until its response has a final status; `lost` is called for every attempt that is repeated.
pub async fn repeat_until_final<F: Future<Output = anyhow::Result<ApiResponse>>>(
    timeout: Duration,
    is_final: fn(u16) -> bool,
    mut request: impl FnMut() -> F,
    lost: impl Fn(anyhow::Result<ApiResponse>),
) -> anyhow::Result<ApiResponse> {
    until("a final response", timeout, || {
        let attempt = request();
        let lost = &lost;
        async move {
            match attempt.await {
                Ok(response) if is_final(response.status) => Ok(Some(response)),
                other => {
                    lost(other);
                    Ok(None)
                }
            }
        }
    })
    .await
}

/// Makes an organization with the command line of `node`; its organizer is a client of `client`.
pub async fn organization_of(node: &TestServer, client: &ApiClient, slug: &str) -> anyhow::Result<TestOrganizer> {
    let output = node.run(&["organization", slug, slug]).await?;
    let key = output.lines().find(|line| line.starts_with("vgk_")).context("a key")?.to_owned();
    Ok(TestOrganizer { client: client.clone(), key })
}

/// Checks that acknowledged and listed orders are the same, and that no order was acknowledged twice.
pub fn check_same_orders(acknowledged: &[OrderRecord], listed: &[Value]) -> anyhow::Result<()> {
    use std::collections::BTreeSet;
    let listed: BTreeSet<&str> = listed.iter().filter_map(|order| order["id"].as_str()).collect();
    let known: BTreeSet<&str> = acknowledged.iter().map(|record| record.order.id.as_str()).collect();
    anyhow::ensure!(known.len() == acknowledged.len(), "two requests got the same order");
    let lost: Vec<_> = known.difference(&listed).collect();
    let unknown: Vec<_> = listed.difference(&known).collect();
    anyhow::ensure!(lost.is_empty() && unknown.is_empty(), "lost {lost:?}, never acknowledged {unknown:?}");
    Ok(())
}
