//! Buyers who come one after the other through the balancer and note every request that was not answered as it should be.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Method;
use tokio::task::JoinSet;
use voelgoed_testkit::buyer::{Buyer, OrderRequest, held, placed};
use voelgoed_testkit::client::{Call, Client};
use voelgoed_testkit::organizer::Event;

/// What happened to their requests.
#[derive(Debug, Default)]
pub struct Tally {
    /// Answered as they should be.
    pub good: AtomicU64,
    /// Acknowledged orders.
    pub orders: Mutex<Vec<String>>,
    /// Not answered, or with a fault, in words.
    pub dropped: Mutex<Vec<String>>,
}

impl Tally {
    /// The orders that were acknowledged so far.
    pub fn orders(&self) -> Vec<String> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was not answered so far.
    pub fn dropped(&self) -> Vec<String> {
        self.dropped.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Buyers at work until told to stop.
pub struct Crowd {
    tasks: JoinSet<()>,
    over: Arc<AtomicBool>,
    /// What happened so far.
    pub tally: Arc<Tally>,
}

impl Crowd {
    /// Sends `buyers` to `url`, each to places of general admission and to look around.
    pub fn gather(url: &str, event: &Event, buyers: usize) -> anyhow::Result<Self> {
        let (over, tally) = (Arc::new(AtomicBool::new(false)), Arc::new(Tally::default()));
        let mut tasks = JoinSet::new();
        for _ in 0..buyers {
            let client = Client::new(url)?;
            let (event, over, tally) = (event.clone(), Arc::clone(&over), Arc::clone(&tally));
            tasks.spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    if let Err(error) = once(&client, &event, &tally).await {
                        tally.dropped.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{error:#}"));
                    }
                }
            });
        }
        Ok(Self { tasks, over, tally })
    }

    /// Lets everybody finish what they began.
    pub async fn disperse(mut self) -> Arc<Tally> {
        self.over.store(true, Ordering::Relaxed);
        while self.tasks.join_next().await.is_some() {}
        self.tally
    }
}

/// One buyer: looks, holds, orders.
async fn once(client: &Client, event: &Event, tally: &Tally) -> anyhow::Result<()> {
    let path = format!("/api/v1/events/{}/availability", event.id);
    client.call(Method::GET, &path, Call::default()).await?.must(200)?;
    tally.good.fetch_add(1, Ordering::Relaxed);
    let mut buyer = Buyer::new(client.clone());
    let hold = held(buyer.hold_general(event, 1).await?)?;
    tally.good.fetch_add(1, Ordering::Relaxed);
    let order = placed(buyer.order(&OrderRequest::new(&hold, "ok")).await?)?;
    tally.good.fetch_add(1, Ordering::Relaxed);
    tally.orders.lock().unwrap_or_else(PoisonError::into_inner).push(order.id);
    Ok(())
}
