//! Sends buyers through the balancer one after the other, and records every request that fails.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Method;
use tokio::task::JoinSet;
use voelgoed_testkit::buyer::{OrderRequest, TestBuyer, acknowledged_order, granted_hold};
use voelgoed_testkit::http_client::{ApiCall, ApiClient};
use voelgoed_testkit::organizer::TestEvent;

/// Requests of a load by outcome.
#[derive(Debug, Default)]
pub struct BuyerLoadRecord {
    /// Requests with the expected response.
    pub succeeded: AtomicU64,
    orders: Mutex<Vec<String>>,
    failures: Mutex<Vec<String>>,
}

impl BuyerLoadRecord {
    /// The ids of the orders acknowledged so far.
    pub fn orders(&self) -> Vec<String> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The errors of the requests that failed so far.
    pub fn failures(&self) -> Vec<String> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Concurrent buyers, until stopped.
pub struct BuyerLoad {
    tasks: JoinSet<()>,
    stop: Arc<AtomicBool>,
    /// Outcomes so far.
    pub record: Arc<BuyerLoadRecord>,
}

impl BuyerLoad {
    /// Starts `buyers` at `url`; each reads the availability, holds a general-admission place and orders it, again and again.
    pub fn start(url: &str, event: &TestEvent, buyers: usize) -> anyhow::Result<Self> {
        let (stop, record) = (Arc::new(AtomicBool::new(false)), Arc::new(BuyerLoadRecord::default()));
        let mut tasks = JoinSet::new();
        for _ in 0..buyers {
            let client = ApiClient::new(url)?;
            let (event, stop, record) = (event.clone(), Arc::clone(&stop), Arc::clone(&record));
            tasks.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    if let Err(error) = buy_once(&client, &event, &record).await {
                        record.failures.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{error:#}"));
                    }
                }
            });
        }
        Ok(Self { tasks, stop, record })
    }

    /// Stops the load once every buyer has finished.
    pub async fn finish(mut self) -> Arc<BuyerLoadRecord> {
        self.stop.store(true, Ordering::Relaxed);
        while self.tasks.join_next().await.is_some() {}
        self.record
    }
}

async fn buy_once(client: &ApiClient, event: &TestEvent, record: &BuyerLoadRecord) -> anyhow::Result<()> {
    let path = format!("/api/v1/events/{}/availability", event.id);
    client.call(Method::GET, &path, ApiCall::default()).await?.must(200)?;
    record.succeeded.fetch_add(1, Ordering::Relaxed);
    let mut buyer = TestBuyer::new(client.clone());
    let hold = granted_hold(buyer.hold_general(event, 1).await?)?;
    record.succeeded.fetch_add(1, Ordering::Relaxed);
    let order = acknowledged_order(buyer.order(&OrderRequest::new(&hold, "ok")).await?)?;
    record.succeeded.fetch_add(1, Ordering::Relaxed);
    record.orders.lock().unwrap_or_else(PoisonError::into_inner).push(order.id);
    Ok(())
}
