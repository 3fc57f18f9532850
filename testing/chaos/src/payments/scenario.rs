//! One run of the table: all purchases at once on one server, and one kill at one step.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::sync::Semaphore;
use voelgoed_testkit::books::money_by_order;
use voelgoed_testkit::buyer::{Buyer, Hold, OrderRequest, Placed, held, placed};
use voelgoed_testkit::client::{Answer, Client};
use voelgoed_testkit::organizer::{Organizer, text};
use voelgoed_testkit::server::{Server, Setup};
use voelgoed_testkit::until::until;

use super::Stage;
use super::evidence::Evidence;
use super::table::{End, ROWS, Row, allowed};

/// What has not happened by then never will: several times the longest way, `late` with its refund. Nothing is judged by it.
const PATIENCE: Duration = Duration::from_secs(300);
/// The place of the order that is refunded; purchase number `n` of the table has place `n + 1`.
const REFUNDED_PLACE: u32 = 0;

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victim {
    /// `voelgoed`, and with it the provider, its child.
    Server,
    /// The provider alone.
    Provider,
}

/// When.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The places are held.
    Held,
    /// `POST /orders` is on its way.
    Sent,
    /// It was answered.
    Answered,
    /// The provider has the charges and has not decided all of them.
    Pending,
    /// The provider has just captured `slow` and is calling back.
    Callback,
    /// A refund is on its way.
    Refund,
}

/// A kill of one victim at one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kill {
    /// Who.
    pub victim: Victim,
    /// When.
    pub step: Step,
}

impl Kill {
    /// Every kill there is.
    pub fn all() -> impl Iterator<Item = Self> {
        let steps = [Step::Held, Step::Sent, Step::Answered, Step::Pending, Step::Callback, Step::Refund];
        [Victim::Server, Victim::Provider]
            .into_iter()
            .flat_map(move |victim| steps.into_iter().map(move |step| Self { victim, step }))
    }
}

/// A scenario.
#[derive(Debug)]
pub struct Scenario {
    /// The kill, if any.
    pub kill: Option<Kill>,
    /// What it starts from.
    pub stage: Stage,
}

/// A purchase under way.
struct Purchase {
    row: &'static Row,
    place: u32,
    buyer: Buyer,
    request: OrderRequest,
    order: Option<Placed>,
}

/// The purchases' names with their ends.
pub type Ends = Vec<(&'static str, anyhow::Result<End>)>;

impl Scenario {
    /// Its name.
    pub fn name(&self) -> String {
        match self.kill {
            None => "undisturbed".to_owned(),
            Some(Kill { victim, step }) => format!("kill {victim:?} {step:?}").to_lowercase(),
        }
    }

    async fn strike(&self, server: &mut Server, step: Step) -> anyhow::Result<()> {
        match self.kill {
            Some(Kill { victim: Victim::Server, step: at }) if at == step => {
                server.kill().await?;
                server.rise().await
            }
            Some(Kill { victim: Victim::Provider, step: at }) if at == step => {
                ensure!(server.kill_provider().await?, "there is no provider to kill");
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Plays it to the end.
    pub async fn play(&self, setup: Setup, busy: Arc<Semaphore>) -> anyhow::Result<Ends> {
        let busy = busy.acquire_owned().await?;
        let mut server = Server::start(setup).await?;
        let organizer = Organizer::of(&server.url(), &server.card)?;
        let client = Client::new(&server.url())?;
        let bought = self.buy_first(&client).await?;
        let mut purchases = self.hold_all(&client).await?;
        self.strike(&mut server, Step::Held).await?;
        self.send_all(&mut server, &mut purchases).await?;
        self.strike(&mut server, Step::Answered).await?;
        self.at_pending(&mut server, &mut purchases).await?;
        self.give_back(&mut server, &organizer, &bought).await?;
        drop(busy);
        let mut rival = Buyer::new(client.clone());
        for purchase in purchases.iter().filter(|purchase| purchase.row.rival) {
            self.outrun(&organizer, &mut rival, purchase.place).await?;
        }
        let mut ends = Vec::new();
        for purchase in &purchases {
            let end =
                self.end_of(&server, &organizer, purchase.order.as_ref(), (purchase.place, purchase.row.rival)).await;
            let allowed = allowed(purchase.row.end, self.kill);
            ends.push((purchase.row.name, end.and_then(|end| listed(end, &allowed))));
        }
        let end = self.end_of(&server, &organizer, Some(&bought.0), (REFUNDED_PLACE, false)).await;
        ends.push(("refund", end.and_then(|end| listed(end, &[End::Refunded]))));
        ends.push(("the gate refuses the refunded ticket", self.refused_at_gate(&client, &bought).await));
        ends.push(("the ledger balances", organizer.balanced_journal().await.map(|_| End::Refunded)));
        if self.kill.is_none() {
            server.stop().await?;
        }
        Ok(ends)
    }

    /// An order that is paid before anything is disturbed, with its ticket.
    async fn buy_first(&self, client: &Client) -> anyhow::Result<(Placed, String, String)> {
        let mut buyer = Buyer::new(client.clone());
        let hold = held(buyer.hold_seat(&self.stage.event, REFUNDED_PLACE).await?)?;
        let order = placed(buyer.order(&OrderRequest::new(&hold, "ok")).await?)?;
        let paid = until("the first order is paid", PATIENCE, || {
            let (mut buyer, order) = (buyer.clone(), order.clone());
            async move {
                let seen = buyer.look(&order).await?;
                Ok((seen["state"] == "paid").then_some(seen))
            }
        });
        let ticket = paid.await?["tickets"][0].clone();
        Ok((order, text(&ticket, "id")?, text(&ticket, "code")?))
    }

    async fn hold_all(&self, client: &Client) -> anyhow::Result<Vec<Purchase>> {
        let mut purchases = Vec::new();
        for (row, place) in ROWS.iter().zip(REFUNDED_PLACE + 1..) {
            let mut buyer = Buyer::new(client.clone());
            let hold: Hold = held(buyer.hold_seat(&self.stage.event, place).await?)?;
            let request = OrderRequest::new(&hold, row.method);
            purchases.push(Purchase { row, place, buyer, request, order: None });
        }
        Ok(purchases)
    }

    /// Sends every order; what is lost in between is asked for again until there is an answer.
    async fn send_all(&self, server: &mut Server, purchases: &mut [Purchase]) -> anyhow::Result<()> {
        let mut sent = tokio::task::JoinSet::new();
        for purchase in purchases.iter() {
            let (mut buyer, request) = (purchase.buyer.clone(), purchase.request.clone());
            sent.spawn(async move { buyer.order(&request).await.map(|answer| answer.status) });
        }
        if self.kill.is_some_and(|kill| kill.step == Step::Sent) {
            // In the midst of the answers, so that some orders are committed and some are not.
            for _ in 0..ROWS.len() / 2 {
                let _ = sent.join_next().await;
            }
        }
        self.strike(server, Step::Sent).await?;
        while sent.join_next().await.is_some() {}
        for purchase in purchases {
            let answer = insist(|| {
                let (mut buyer, request) = (purchase.buyer.clone(), purchase.request.clone());
                async move { buyer.order(&request).await }
            });
            let answer = answer.await.with_context(|| format!("the order of `{}`", purchase.row.name))?;
            if answer.status == 410 {
                continue;
            }
            purchase.order = Some(placed(answer)?);
        }
        Ok(())
    }

    async fn at_pending(&self, server: &mut Server, purchases: &mut [Purchase]) -> anyhow::Result<()> {
        let slow = purchases.iter().find(|purchase| purchase.row.method == "slow");
        let Some((slow, order)) = slow.and_then(|slow| Some((slow, slow.order.clone()?))) else { return Ok(()) };
        if self.kill.is_some_and(|kill| kill.step == Step::Pending) {
            until("slow is pending", PATIENCE, || {
                let (mut buyer, order) = (slow.buyer.clone(), order.clone());
                async move { Ok((buyer.look(&order).await?["payments"][0]["state"] == "pending").then_some(())) }
            })
            .await?;
            self.strike(server, Step::Pending).await?;
        }
        if self.kill.is_some_and(|kill| kill.step == Step::Callback) {
            let data = server.data().to_owned();
            until("slow is captured", PATIENCE, || async {
                Ok(money_by_order(&data)?.contains_key(&order.id).then_some(()))
            })
            .await?;
            self.strike(server, Step::Callback).await?;
        }
        Ok(())
    }

    async fn give_back(
        &self,
        server: &mut Server,
        organizer: &Organizer,
        (order, ticket, _): &(Placed, String, String),
    ) -> anyhow::Result<()> {
        let key = format!("refund-{}", order.id);
        let ask = || {
            let (organizer, order, ticket, key) = (organizer.clone(), order.id.clone(), ticket.clone(), key.clone());
            async move { organizer.refund(&order, &[&ticket], &key).await }
        };
        if self.kill.is_some_and(|kill| kill.step == Step::Refund) {
            let first = tokio::spawn(ask());
            tokio::task::yield_now().await;
            self.strike(server, Step::Refund).await?;
            let _ = first.await;
        }
        insist(ask).await?.must(201).context("the refund")?;
        Ok(())
    }

    /// Takes the place as soon as it is free, and buys it. Watches the map meanwhile, since a buyer who asks too often is told to wait.
    async fn outrun(&self, organizer: &Organizer, rival: &mut Buyer, place: u32) -> anyhow::Result<()> {
        let hold = until("the place is free again", PATIENCE, || {
            let (mut rival, event) = (rival.clone(), self.stage.event.clone());
            async move {
                if organizer.places(&event.id).await?.get(place as usize) != Some(&0) {
                    return Ok(None);
                }
                let answer = rival.hold_seat(&event, place).await?;
                Ok((answer.status == 201).then_some(answer))
            }
        });
        let hold = held(hold.await?)?;
        placed(rival.order(&OrderRequest::new(&hold, "ok")).await?).map(|_| ())
    }

    /// How a purchase ends, once all agree on an end.
    async fn end_of(
        &self,
        server: &Server,
        organizer: &Organizer,
        order: Option<&Placed>,
        place: (u32, bool),
    ) -> anyhow::Result<End> {
        let settled =
            until("settled", PATIENCE, || async { Ok(self.look(server, organizer, order, place).await?.ok()) });
        match settled.await {
            Ok(end) => Ok(end),
            Err(late) => match self.look(server, organizer, order, place).await? {
                Ok(end) => Ok(end),
                Err(unsettled) => Err(unsettled.context(late)),
            },
        }
    }

    /// What is known of a purchase now; the inner error is why it is no end.
    async fn look(
        &self,
        server: &Server,
        organizer: &Organizer,
        order: Option<&Placed>,
        (place, rival): (u32, bool),
    ) -> anyhow::Result<anyhow::Result<End>> {
        let places = organizer.places(&self.stage.event.id).await?;
        let place = (!rival).then(|| places.get(place as usize).copied().unwrap_or(u8::MAX));
        let Some(order) = order else {
            return Ok(Evidence { order: None, place, entries: Vec::new(), at_provider: 0 }.end());
        };
        let shown = organizer.order(&order.id).await?;
        let at_provider = money_by_order(server.data())?.get(&order.id).copied().unwrap_or(0);
        let journal = organizer.balanced_journal().await?;
        let entries = journal.into_iter().filter(|entry| entry.order == order.id).collect();
        Ok(Evidence { order: Some(shown), place, entries, at_provider }.end())
    }

    async fn refused_at_gate(&self, client: &Client, (_, _, code): &(Placed, String, String)) -> anyhow::Result<End> {
        let scanner = self.stage.scanner.at(client);
        let scan = scanner.read(code);
        let body = scanner.send(&scan).await?.must(200)?;
        ensure!(body["result"] == "refused" && body["reason"] == "refunded", "{body}");
        Ok(End::Refunded)
    }
}

fn listed(end: End, allowed: &[End]) -> anyhow::Result<End> {
    ensure!(allowed.contains(&end), "ends in {end:?}, which is none of {allowed:?}");
    Ok(end)
}

/// Asks again while no answer comes or the server is not well; the last answer is a word that stays.
async fn insist<F: Future<Output = anyhow::Result<Answer>>>(mut ask: impl FnMut() -> F) -> anyhow::Result<Answer> {
    until("an answer", PATIENCE, || {
        let asked = ask();
        async move {
            Ok(match asked.await {
                Ok(answer) if answer.status < 500 => Some(answer),
                _ => None,
            })
        }
    })
    .await
}
