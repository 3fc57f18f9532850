//! Runs all purchases of the table at once on one server, with one kill at one step.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::sync::Semaphore;
use voelgoed_testkit::buyer::{AcknowledgedOrder, OrderRequest, TestBuyer, acknowledged_order, granted_hold};
use voelgoed_testkit::http_client::{ApiClient, ApiResponse};
use voelgoed_testkit::organizer::{TestOrganizer, text};
use voelgoed_testkit::sandbox_provider::money_by_order;
use voelgoed_testkit::server::{ServerOptions, TestServer};
use voelgoed_testkit::until::until;

use super::PaymentsFixture;
use super::kill::{Kill, KillStep, KillVictim};
use super::outcome_table::{PaymentRow, PurchaseOutcome, ROWS, allowed};
use super::purchase_state::PurchaseState;
use crate::clients::repeat_until_final;

/// Several times the longest purchase, `late` with its refund.
const PURCHASE_TIMEOUT: Duration = Duration::from_secs(300);
/// The place of the order that is refunded; purchase number `n` of the table has place `n + 1`.
const REFUNDED_PLACE: u32 = 0;

/// All purchases with at most one kill.
#[derive(Debug)]
pub struct PaymentScenario {
    /// The kill, if any.
    pub kill: Option<Kill>,
    /// The start.
    pub fixture: PaymentsFixture,
}

/// A purchase in progress.
struct Purchase {
    row: &'static PaymentRow,
    place: u32,
    buyer: TestBuyer,
    request: OrderRequest,
    order: Option<AcknowledgedOrder>,
}

/// Outcomes by the name of the purchase.
pub type NamedOutcomes = Vec<(&'static str, anyhow::Result<PurchaseOutcome>)>;

impl PaymentScenario {
    /// Names the scenario in messages.
    pub fn name(&self) -> String {
        match self.kill {
            None => "undisturbed".to_owned(),
            Some(Kill { victim, step }) => format!("kill {victim:?} {step:?}").to_lowercase(),
        }
    }

    async fn kill_at(&self, server: &mut TestServer, step: KillStep) -> anyhow::Result<()> {
        match self.kill {
            Some(Kill { victim: KillVictim::Server, step: at }) if at == step => {
                server.kill()?;
                server.start().await
            }
            Some(Kill { victim: KillVictim::Provider, step: at }) if at == step => {
                ensure!(server.kill_provider().await?, "there is no provider to kill");
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Runs the scenario to its end.
    pub async fn run(&self, options: ServerOptions, busy: Arc<Semaphore>) -> anyhow::Result<NamedOutcomes> {
        let busy = busy.acquire_owned().await?;
        let mut server = TestServer::started(options).await?;
        let organizer = TestOrganizer::of_demo(&server.url(), &server.card)?;
        let client = ApiClient::new(&server.url())?;
        let bought = self.buy_first(&client).await?;
        let mut purchases = self.hold_all(&client).await?;
        self.kill_at(&mut server, KillStep::Held).await?;
        self.send_all(&mut server, &mut purchases).await?;
        self.kill_at(&mut server, KillStep::Answered).await?;
        self.kill_while_pending(&mut server, &mut purchases).await?;
        self.refund(&mut server, &organizer, &bought).await?;
        drop(busy);
        let mut rival = TestBuyer::new(client.clone());
        for purchase in purchases.iter().filter(|purchase| purchase.row.rival) {
            self.take_freed_place(&organizer, &mut rival, purchase.place).await?;
        }
        let mut outcomes = Vec::new();
        for purchase in &purchases {
            let place = (purchase.place, purchase.row.rival);
            let outcome = self.outcome_of(&server, &organizer, purchase.order.as_ref(), place).await;
            let allowed = allowed(purchase.row.outcome, self.kill);
            outcomes.push((purchase.row.name, outcome.and_then(|outcome| check_allowed(outcome, &allowed))));
        }
        let outcome = self.outcome_of(&server, &organizer, Some(&bought.0), (REFUNDED_PLACE, false)).await;
        outcomes.push(("refund", outcome.and_then(|outcome| check_allowed(outcome, &[PurchaseOutcome::Refunded]))));
        outcomes.push(("the gate refuses the refunded ticket", self.check_refused_at_gate(&client, &bought).await));
        outcomes.push(("the ledger balances", organizer.balanced_ledger().await.map(|_| PurchaseOutcome::Refunded)));
        if self.kill.is_none() {
            server.stop().await?;
        }
        Ok(outcomes)
    }

    /// Buys a ticket before any kill; returns the order, the ticket's id and its code.
    async fn buy_first(&self, client: &ApiClient) -> anyhow::Result<(AcknowledgedOrder, String, String)> {
        let mut buyer = TestBuyer::new(client.clone());
        let hold = granted_hold(buyer.hold_seat(&self.fixture.event, REFUNDED_PLACE).await?)?;
        let order = acknowledged_order(buyer.order(&OrderRequest::new(&hold, "ok")).await?)?;
        let paid = until("the first order is paid", PURCHASE_TIMEOUT, || {
            let (mut buyer, order) = (buyer.clone(), order.clone());
            async move {
                let seen = buyer.read_order(&order).await?;
                Ok((seen["state"] == "paid").then_some(seen))
            }
        });
        let ticket = paid.await?["tickets"][0].clone();
        Ok((order, text(&ticket, "id")?, text(&ticket, "code")?))
    }

    async fn hold_all(&self, client: &ApiClient) -> anyhow::Result<Vec<Purchase>> {
        let mut purchases = Vec::new();
        for (row, place) in ROWS.iter().zip(REFUNDED_PLACE + 1..) {
            let mut buyer = TestBuyer::new(client.clone());
            let hold = granted_hold(buyer.hold_seat(&self.fixture.event, place).await?)?;
            let request = OrderRequest::new(&hold, row.method);
            purchases.push(Purchase { row, place, buyer, request, order: None });
        }
        Ok(purchases)
    }

    /// Sends every order, and repeats lost requests until there is a response.
    async fn send_all(&self, server: &mut TestServer, purchases: &mut [Purchase]) -> anyhow::Result<()> {
        let mut sent = tokio::task::JoinSet::new();
        for purchase in purchases.iter() {
            let (mut buyer, request) = (purchase.buyer.clone(), purchase.request.clone());
            sent.spawn(async move { buyer.order(&request).await.map(|response| response.status) });
        }
        if self.kill.is_some_and(|kill| kill.step == KillStep::Sent) {
            // After half of the responses, so that some orders are committed and some are not.
            for _ in 0..ROWS.len() / 2 {
                let _ = sent.join_next().await;
            }
        }
        self.kill_at(server, KillStep::Sent).await?;
        while sent.join_next().await.is_some() {}
        for purchase in purchases {
            let response = repeat(|| {
                let (mut buyer, request) = (purchase.buyer.clone(), purchase.request.clone());
                async move { buyer.order(&request).await }
            });
            let response = response.await.with_context(|| format!("the order of `{}`", purchase.row.name))?;
            if response.status == 410 {
                continue;
            }
            purchase.order = Some(acknowledged_order(response)?);
        }
        Ok(())
    }

    async fn kill_while_pending(&self, server: &mut TestServer, purchases: &mut [Purchase]) -> anyhow::Result<()> {
        let slow = purchases.iter().find(|purchase| purchase.row.method == "slow");
        let Some((slow, order)) = slow.and_then(|slow| Some((slow, slow.order.clone()?))) else { return Ok(()) };
        if self.kill.is_some_and(|kill| kill.step == KillStep::Pending) {
            until("slow is pending", PURCHASE_TIMEOUT, || {
                let (mut buyer, order) = (slow.buyer.clone(), order.clone());
                async move { Ok((buyer.read_order(&order).await?["payments"][0]["state"] == "pending").then_some(())) }
            })
            .await?;
            self.kill_at(server, KillStep::Pending).await?;
        }
        if self.kill.is_some_and(|kill| kill.step == KillStep::Callback) {
            let data = server.data().to_owned();
            until("slow is captured", PURCHASE_TIMEOUT, || async {
                Ok(money_by_order(&data)?.contains_key(&order.id).then_some(()))
            })
            .await?;
            self.kill_at(server, KillStep::Callback).await?;
        }
        Ok(())
    }

    async fn refund(
        &self,
        server: &mut TestServer,
        organizer: &TestOrganizer,
        (order, ticket, _): &(AcknowledgedOrder, String, String),
    ) -> anyhow::Result<()> {
        let key = format!("refund-{}", order.id);
        let request = || {
            let (organizer, order, ticket, key) = (organizer.clone(), order.id.clone(), ticket.clone(), key.clone());
            async move { organizer.refund(&order, &[&ticket], &key).await }
        };
        if self.kill.is_some_and(|kill| kill.step == KillStep::Refund) {
            let first = tokio::spawn(request());
            tokio::task::yield_now().await;
            self.kill_at(server, KillStep::Refund).await?;
            let _ = first.await;
        }
        repeat(request).await?.must(201).context("the refund")?;
        Ok(())
    }

    /// Buys the place as soon as it is free. Polls the map until then, since holds of one buyer are rate-limited.
    async fn take_freed_place(
        &self,
        organizer: &TestOrganizer,
        rival: &mut TestBuyer,
        place: u32,
    ) -> anyhow::Result<()> {
        let hold = until("the place is free again", PURCHASE_TIMEOUT, || {
            let (mut rival, event) = (rival.clone(), self.fixture.event.clone());
            async move {
                if organizer.places(&event.id).await?.get(place as usize) != Some(&0) {
                    return Ok(None);
                }
                let response = rival.hold_seat(&event, place).await?;
                Ok((response.status == 201).then_some(response))
            }
        });
        let hold = granted_hold(hold.await?)?;
        acknowledged_order(rival.order(&OrderRequest::new(&hold, "ok")).await?).map(|_| ())
    }

    /// Waits for the outcome of a purchase.
    async fn outcome_of(
        &self,
        server: &TestServer,
        organizer: &TestOrganizer,
        order: Option<&AcknowledgedOrder>,
        place: (u32, bool),
    ) -> anyhow::Result<PurchaseOutcome> {
        let settled = until("settled", PURCHASE_TIMEOUT, || async {
            Ok(self.read_outcome(server, organizer, order, place).await?.ok())
        });
        match settled.await {
            Ok(outcome) => Ok(outcome),
            Err(late) => match self.read_outcome(server, organizer, order, place).await? {
                Ok(outcome) => Ok(outcome),
                Err(unsettled) => Err(unsettled.context(late)),
            },
        }
    }

    /// The outcome of a purchase now; the inner error says why there is none yet.
    async fn read_outcome(
        &self,
        server: &TestServer,
        organizer: &TestOrganizer,
        order: Option<&AcknowledgedOrder>,
        (place, rival): (u32, bool),
    ) -> anyhow::Result<anyhow::Result<PurchaseOutcome>> {
        let places = organizer.places(&self.fixture.event.id).await?;
        let place = (!rival).then(|| places.get(place as usize).copied().unwrap_or(u8::MAX));
        let Some(order) = order else {
            return Ok(PurchaseState { order: None, place, entries: Vec::new(), at_provider: 0 }.outcome());
        };
        let shown = organizer.order(&order.id).await?;
        let at_provider = money_by_order(server.data())?.get(&order.id).copied().unwrap_or(0);
        let ledger = organizer.balanced_ledger().await?;
        let entries = ledger.into_iter().filter(|entry| entry.order == order.id).collect();
        Ok(PurchaseState { order: Some(shown), place, entries, at_provider }.outcome())
    }

    async fn check_refused_at_gate(
        &self,
        client: &ApiClient,
        (_, _, code): &(AcknowledgedOrder, String, String),
    ) -> anyhow::Result<PurchaseOutcome> {
        let scanner = self.fixture.scanner.at(client);
        let scan = scanner.scan_of(code);
        let body = scanner.send(&scan).await?.must(200)?;
        ensure!(body["result"] == "refused" && body["reason"] == "refunded", "{body}");
        Ok(PurchaseOutcome::Refunded)
    }
}

fn check_allowed(outcome: PurchaseOutcome, allowed: &[PurchaseOutcome]) -> anyhow::Result<PurchaseOutcome> {
    ensure!(allowed.contains(&outcome), "ends in {outcome:?}, which is none of {allowed:?}");
    Ok(outcome)
}

async fn repeat<F: Future<Output = anyhow::Result<ApiResponse>>>(
    request: impl FnMut() -> F,
) -> anyhow::Result<ApiResponse> {
    repeat_until_final(PURCHASE_TIMEOUT, |status| status < 500, request, drop).await
}
