//! The people: they buy, scan and give back until told to stop, and repeat whatever got no answer.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use rand::RngExt;
use rand::rngs::StdRng;
use tokio::sync::watch;
use voelgoed_testkit::buyer::{Buyer, OrderRequest, Placed, held, placed};
use voelgoed_testkit::client::{Answer, Client};
use voelgoed_testkit::organizer::{Event, Organizer, text};
use voelgoed_testkit::scanner::Scanner;
use voelgoed_testkit::until::until;

use super::journal::{Bought, GivenBack, Journal, Scanned, Ticket};
use super::{BUYERS, SEATS};

/// A server that was killed is back by then.
const PATIENCE: Duration = Duration::from_secs(120);
/// Every so many orders go back, every so many readings are repeated on purpose.
const GIVE_BACK_EVERY: usize = 9;
const READ_TWICE_EVERY: u32 = 4;

/// What all of them share.
#[derive(Debug, Clone)]
pub struct Crowd {
    /// On sale.
    pub event: Event,
    /// Gives money back.
    pub organizer: Organizer,
    /// At the gate.
    pub scanner: Scanner,
    /// What they were told.
    pub journal: Arc<Journal>,
    /// True: go home.
    pub stopped: watch::Receiver<bool>,
}

impl Crowd {
    fn is_over(&self) -> bool {
        *self.stopped.borrow()
    }

    /// Asks until there is an answer that stays.
    async fn insist<F: Future<Output = anyhow::Result<Answer>>>(
        &self,
        mut ask: impl FnMut() -> F,
    ) -> anyhow::Result<Answer> {
        until("an answer", PATIENCE, || {
            let asked = ask();
            async move {
                match asked.await {
                    Ok(answer) if answer.status < 500 && answer.status != 429 => Ok(Some(answer)),
                    Ok(_) => Ok(None),
                    Err(_lost) => {
                        self.journal.open().unanswered += 1;
                        Ok(None)
                    }
                }
            }
        })
        .await
    }

    /// A buyer's life: seats of their own column of the plan, and places of the floor; paid by every method that ends well.
    pub async fn buy(self, client: Client, mut dice: StdRng, number: u32) -> anyhow::Result<()> {
        let mut seat = number;
        while !self.is_over() {
            let buyer = Buyer::new(client.clone());
            let seated = dice.random_bool(0.4) && seat < SEATS;
            let place = seat;
            let hold = self.insist(|| {
                let (mut buyer, event) = (buyer.clone(), self.event.clone());
                async move {
                    if seated { buyer.hold_seat(&event, place).await } else { buyer.hold_general(&event, 1).await }
                }
            });
            let answer = hold.await?;
            if seated {
                seat += u32::try_from(BUYERS)?;
            }
            if answer.status == 409 {
                // A hold whose answer was lost is still there, or the seat is in an order of it: try elsewhere.
                continue;
            }
            let method = ["ok", "ok", "ok", "twice", "lost"][dice.random_range(0..5)];
            let request = OrderRequest::new(&held(answer)?, method);
            let answer = self.insist(|| {
                let (mut buyer, request) = (buyer.clone(), request.clone());
                async move { buyer.order(&request).await }
            });
            let answer = answer.await?;
            if answer.status == 410 {
                self.journal.open().holds_lost += 1;
                continue;
            }
            let order = placed(answer)?;
            self.journal.open().orders.push(Bought { request, order: order.clone() });
            self.follow(buyer, &order).await?;
        }
        Ok(())
    }

    /// Watches an order until it is paid, and takes its tickets along.
    async fn follow(&self, buyer: Buyer, order: &Placed) -> anyhow::Result<()> {
        let paid = until("a paid order", PATIENCE, || {
            let mut buyer = buyer.clone();
            async move {
                let Ok(seen) = buyer.look(order).await else { return Ok(None) };
                Ok((seen["state"] != "awaiting_payment").then_some(seen))
            }
        });
        let seen = paid.await?;
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
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            self.read(&ticket, "admitted").await?;
            if dice.random_ratio(1, READ_TWICE_EVERY) {
                self.read(&ticket, "already_used").await?;
            }
        }
        Ok(())
    }

    /// One reading, repeated under its own identifier until there is an answer, which must be `expected`.
    pub async fn read(&self, ticket: &Ticket, expected: &str) -> anyhow::Result<()> {
        let request = self.scanner.read(&ticket.code);
        let answer = self.insist(|| self.scanner.send(&request)).await?.must(200)?;
        let word = if answer["result"] == "admitted" { "admitted" } else { answer["reason"].as_str().unwrap_or("?") };
        ensure!(word == expected, "{} is {word} instead of {expected}: {answer}", ticket.id);
        let scanned = Scanned { request, code: ticket.code.clone(), ticket: ticket.id.clone(), word: word.to_owned() };
        self.journal.open().scans.push(scanned);
        Ok(())
    }

    /// An organizer's life.
    pub async fn give_back(self) -> anyhow::Result<()> {
        while !self.is_over() {
            let next = self.journal.open().to_give_back.pop_front();
            let Some(Ticket { order, id, code }) = next else {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            let key = format!("back-{id}");
            let answer = self.insist(|| async { self.organizer.refund(&order, &[&id], &key).await });
            let refund = text(&answer.await?.must(201)?, "id")?;
            self.journal.open().refunds.push(GivenBack { order, ticket: id, code, refund });
        }
        Ok(())
    }
}
