//! The people of one organization: they buy, scan, give back and are curious, at any node, until told to stop; whatever got no answer is repeated.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use rand::RngExt;
use rand::rngs::StdRng;
use reqwest::Method;
use serde_json::Value;
use tokio::sync::watch;
use voelgoed_testkit::buyer::{Buyer, OrderRequest, Placed, held, placed};
use voelgoed_testkit::client::{Answer, Call, Client};
use voelgoed_testkit::organizer::{Event, Organizer, text};
use voelgoed_testkit::scanner::Scanner;
use voelgoed_testkit::until::until;

use super::journal::{Bought, GivenBack, Journal, Known, LetIn, Reading, Ticket};

/// Whatever was broken is mended by then.
const PATIENCE: Duration = Duration::from_secs(150);
/// So many buyers want each seat.
const RIVALS: u32 = 3;
/// Every so many orders go back; one reading of so many is made twice at once, at both nodes.
const GIVE_BACK_EVERY: usize = 7;
const READ_TWICE: u32 = 3;
/// Nobody clicks at once, in milliseconds.
const THINKS: std::ops::Range<u64> = 20..300;

/// What the people of one organization share.
#[derive(Debug, Clone)]
pub struct People {
    /// On sale.
    pub event: Event,
    /// Gives money back.
    pub organizer: Organizer,
    /// At the gate.
    pub scanner: Scanner,
    /// What they were told.
    pub journal: Arc<Journal>,
    /// The nodes.
    pub nodes: Vec<Client>,
    /// Seats that were wanted so far, times [`RIVALS`].
    pub wanted: Arc<AtomicU32>,
    /// How often warm has lost something.
    pub warm_losses: Arc<AtomicU64>,
    /// The key of another organization, and an order that is not its own.
    pub stranger: String,
    /// True: go home.
    pub stopped: watch::Receiver<bool>,
}

impl People {
    fn is_over(&self) -> bool {
        *self.stopped.borrow()
    }

    async fn think(&self, dice: &mut StdRng) {
        tokio::time::sleep(Duration::from_millis(dice.random_range(THINKS))).await;
    }

    /// Asks one node after the other until there is an answer that stays.
    async fn insist<F: Future<Output = anyhow::Result<Answer>>>(
        &self,
        first: usize,
        mut ask: impl FnMut(Client) -> F,
    ) -> anyhow::Result<Answer> {
        let mut at = first;
        until("an answer", PATIENCE, || {
            let asked = ask(self.nodes[at % self.nodes.len()].clone());
            at += 1;
            async move {
                match asked.await {
                    Ok(answer) if answer.status < 500 && answer.status != 429 => Ok(Some(answer)),
                    Ok(_) | Err(_) => {
                        self.journal.open().again += 1;
                        Ok(None)
                    }
                }
            }
        })
        .await
    }

    /// A buyer's life: seats that others want too, and places of the floor.
    pub async fn buy(self, mut dice: StdRng) -> anyhow::Result<()> {
        while !self.is_over() {
            self.think(&mut dice).await;
            let buyer = Buyer::new(self.nodes[0].clone());
            let seat = self.wanted.fetch_add(1, Ordering::Relaxed) / RIVALS;
            let seated = dice.random_bool(0.5) && seat < self.event.seated.1;
            let hold =
                self.insist(dice.random_range(0..8), |client| {
                    let (mut buyer, event) = (buyer.at(&client), &self.event);
                    async move {
                        if seated { buyer.hold_seat(event, seat).await } else { buyer.hold_general(event, 1).await }
                    }
                });
            let answer = hold.await?;
            if answer.status == 409 {
                self.journal.open().refused += 1;
                continue;
            }
            self.think(&mut dice).await;
            let method = ["ok", "ok", "ok", "twice", "lost", "declined"][dice.random_range(0..6)];
            let request = OrderRequest::new(&held(answer)?, method);
            let answer = self.insist(dice.random_range(0..8), |client| {
                let (mut buyer, request) = (buyer.at(&client), request.clone());
                async move { buyer.order(&request).await }
            });
            let answer = answer.await?;
            // The hold was lost with the warm tier, or an old copy of it held what is sold: nothing is charged (P2).
            if answer.status == 410 || answer.code() == "place_taken" {
                self.journal.open().refused += 1;
                continue;
            }
            let order = placed(answer)?;
            self.journal.open().orders.push(Bought { request, order: order.clone() });
            self.follow(&buyer, &order, dice.random_range(0..8)).await?;
        }
        Ok(())
    }

    /// Watches an order until it is paid or over, and takes its tickets along.
    async fn follow(&self, buyer: &Buyer, order: &Placed, first: usize) -> anyhow::Result<()> {
        let mut at = first;
        let ended = until("an order's end", PATIENCE, || {
            let mut buyer = buyer.at(&self.nodes[at % self.nodes.len()]);
            at += 1;
            async move {
                let Ok(seen) = buyer.look(order).await else { return Ok(None) };
                Ok((seen["state"] != "awaiting_payment").then_some(seen))
            }
        });
        let seen = ended.await?;
        let mut pages = self.journal.open();
        for ticket in seen["tickets"].as_array().into_iter().flatten() {
            let ticket = Ticket { order: order.id.clone(), id: text(ticket, "id")?, code: text(ticket, "code")? };
            if pages.orders.len().is_multiple_of(GIVE_BACK_EVERY) {
                pages.to_give_back.push_back(ticket);
            } else {
                pages.to_admit.push_back(ticket);
            }
        }
        Ok(())
    }

    /// A scanner's life.
    pub async fn admit(self, mut dice: StdRng) -> anyhow::Result<()> {
        while !self.is_over() {
            let next = self.journal.open().to_admit.pop_front();
            let Some(ticket) = next else {
                self.think(&mut dice).await;
                continue;
            };
            let first = dice.random_range(0..8);
            if dice.random_ratio(1, READ_TWICE) {
                let (one, two) = tokio::try_join!(self.read(&ticket, first), self.read(&ticket, first + 1))?;
                self.journal.open().readings.extend([one, two]);
            } else {
                let reading = self.read(&ticket, first).await?;
                self.journal.open().readings.push(reading);
            }
        }
        Ok(())
    }

    /// One reading, sent again under its own identifier until cold has it, as a device does.
    async fn read(&self, ticket: &Ticket, first: usize) -> anyhow::Result<Reading> {
        let request = self.scanner.read(&ticket.code);
        let limit = Instant::now() + PATIENCE;
        let (mut let_in, mut losses) = (None, None);
        let answer = loop {
            let from = Instant::now();
            ensure!(from < limit, "no durable answer to a scan of {}", ticket.id);
            let sent = self.insist(first, |client| {
                let (scanner, request) = (self.scanner.at(&client), request.clone());
                async move { scanner.send(&request).await }
            });
            let answer = sent.await?.must(200)?;
            let known = known(&answer);
            if answer["result"] == "admitted" && let_in.is_none() {
                let_in = Some(LetIn { from, until: Instant::now(), known });
            }
            if known != Known::WarmAlone {
                self.journal.open().by_cold += usize::from(known == Known::ColdAlone);
                break answer;
            }
            if losses.is_none() {
                losses = Some(self.warm_losses.load(Ordering::SeqCst));
                self.journal.open().by_warm += 1;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let warm_lost = losses.is_some_and(|losses| losses != self.warm_losses.load(Ordering::SeqCst));
        let Ticket { order, id, code } = ticket.clone();
        let (word, durable) = (word(&answer), Instant::now());
        Ok(Reading { code, order, ticket: id, word, let_in, durable, warm_lost })
    }

    /// An organizer's life: gives back, and asks now and then for what is another organization's (P7).
    pub async fn give_back(self, mut dice: StdRng) -> anyhow::Result<()> {
        while !self.is_over() {
            self.think(&mut dice).await;
            self.look_elsewhere(dice.random_range(0..8)).await?;
            let next = self.journal.open().to_give_back.pop_front();
            let Some(ticket) = next else { continue };
            let Ticket { order, id, .. } = ticket.clone();
            let key = format!("back-{id}");
            let answer = self.insist(dice.random_range(0..8), |client| {
                let organizer = Organizer { client, key: self.organizer.key.clone() };
                let (order, id, key) = (order.clone(), id.clone(), key.clone());
                async move { organizer.refund(&order, &[&id], &key).await }
            });
            let refund = text(&answer.await?.must(201)?, "id")?;
            self.journal.open().refunds.push(GivenBack { order, refund });
            // Somebody tries it all the same.
            let reading = self.read(&ticket, dice.random_range(0..8)).await?;
            self.journal.open().turned_away.push(reading);
        }
        Ok(())
    }

    async fn look_elsewhere(&self, first: usize) -> anyhow::Result<()> {
        let last = self.journal.open().orders.last().map(|bought| bought.order.id.clone());
        let Some(order) = last else { return Ok(()) };
        let path = format!("/api/v1/orders/{order}");
        let answer = self.insist(first, |client| {
            let (path, key) = (path.clone(), self.stranger.clone());
            async move { client.call(Method::GET, &path, Call { bearer: Some(&key), ..Call::default() }).await }
        });
        let answer = answer.await?;
        ensure!(answer.status != 401, "the other organization's key is not known: {}", answer.body);
        let mut pages = self.journal.open();
        pages.looks_elsewhere += 1;
        if answer.status != 404 {
            pages.seen_elsewhere.push(format!("{order}: {} {}", answer.status, answer.body));
        }
        Ok(())
    }
}

fn known(answer: &Value) -> Known {
    match (answer["durable"] == true, answer["degraded"] == true) {
        (true, false) => Known::Both,
        (true, true) => Known::ColdAlone,
        (false, _) => Known::WarmAlone,
    }
}

/// `admitted`, or why not.
pub fn word(answer: &Value) -> String {
    if answer["result"] == "admitted" { "admitted" } else { answer["reason"].as_str().unwrap_or("?") }.to_owned()
}
