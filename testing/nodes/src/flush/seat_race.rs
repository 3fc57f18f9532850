//! Makes buyers at every node compete for the same seats, and records every acknowledged order with its seats.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::task::JoinSet;
use voelgoed_stress::raw_client::{RawConnection, RawResponse, get};
use voelgoed_stress::sale::{HeldSeats, PlacedOrder, SEATS_PER_ORDER_MAX, SaleEvent};
use voelgoed_testkit::until::until;

/// Buyers who want each seat, one after the other at another node.
const RIVALS_PER_SEAT: usize = 2;
/// One hold in this many is ordered; the others are released.
const HOLDS_PER_ORDER: usize = 3;
/// For repeating a request that is responseed with 503.
const RETRY_TIMEOUT: Duration = Duration::from_secs(60);

/// Responses of a race.
#[derive(Debug, Default)]
pub struct SeatRaceRecord {
    /// `evt_…`
    pub event: String,
    /// Acknowledged orders with their seats.
    pub orders: BTreeMap<String, Vec<u32>>,
    /// Holds granted.
    pub granted: usize,
    /// Refused by contract: a seat was taken, or the hold was lost.
    pub refused: usize,
    /// 503 responses, after which the request was repeated.
    pub retried: usize,
    /// From start to finish.
    pub took: Duration,
    /// By node: when each hold was requested, and when it was granted.
    grants: BTreeMap<usize, Vec<(Instant, Instant)>>,
    failures: Vec<String>,
}

impl SeatRaceRecord {
    /// Checks that every response was one that the contract allows.
    pub fn check_no_failure(&self) -> anyhow::Result<()> {
        ensure!(self.failures.is_empty(), "{} failures, the first: {}", self.failures.len(), self.failures[0]);
        Ok(())
    }
}

impl fmt::Display for SeatRaceRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (orders, granted, refused, retried) = (self.orders.len(), self.granted, self.refused, self.retried);
        write!(f, "{orders} orders, {granted} holds, {refused} refused, {retried} retried, ")?;
        write!(f, "in {:.1} s at the peak", self.took.as_secs_f64())
    }
}

/// Shared by all buyers.
struct Shared {
    sale_event: SaleEvent,
    /// The next seat to compete for, times [`RIVALS_PER_SEAT`].
    next_seat: AtomicUsize,
    stop: AtomicBool,
    record: Mutex<SeatRaceRecord>,
}

impl Shared {
    fn record(&self) -> MutexGuard<'_, SeatRaceRecord> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A race for seats.
pub struct SeatRace {
    shared: Arc<Shared>,
    buyers: Vec<SeatBuyer>,
    running: JoinSet<SeatBuyer>,
    started: Instant,
}

impl SeatRace {
    /// Prepares `per_node` buyers at each node.
    pub async fn new(nodes: &[String], sale_event: SaleEvent, per_node: usize) -> anyhow::Result<Self> {
        let mut buyers = Vec::new();
        for number in 0..per_node * nodes.len() {
            let node = number % nodes.len();
            let connection = RawConnection::open(&nodes[node]).await?;
            buyers.push(SeatBuyer { node, address: nodes[node].clone(), session: None, connection: Some(connection) });
        }
        let record = Mutex::new(SeatRaceRecord { event: sale_event.event.clone(), ..SeatRaceRecord::default() });
        let (next_seat, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let shared = Arc::new(Shared { sale_event, next_seat, stop, record });
        Ok(Self { shared, buyers, running: JoinSet::new(), started: Instant::now() })
    }

    /// Sells the first `count` seats in large orders.
    pub async fn sell(&mut self, count: usize) -> anyhow::Result<()> {
        let next = Arc::new(AtomicUsize::new(0));
        for mut buyer in self.buyers.drain(..) {
            let (shared, next) = (Arc::clone(&self.shared), Arc::clone(&next));
            self.running.spawn(async move {
                loop {
                    let from = next.fetch_add(SEATS_PER_ORDER_MAX, Ordering::Relaxed);
                    if from >= count {
                        return buyer;
                    }
                    let seats = shared.sale_event.seats[from..count.min(from + SEATS_PER_ORDER_MAX)].to_vec();
                    match buyer.buy(&shared, &seats, true).await {
                        Ok(true) => {}
                        Ok(false) => shared.record().failures.push(format!("seats {seats:?} were refused")),
                        Err(error) => shared.record().failures.push(format!("{error:#}")),
                    }
                }
            });
        }
        self.buyers = std::mem::take(&mut self.running).join_all().await;
        self.shared.next_seat.store(count * RIVALS_PER_SEAT, Ordering::Relaxed);
        let mut record = self.shared.record();
        record.grants.clear();
        (record.granted, record.refused, record.retried) = (0, 0, 0);
        ensure!(
            record.orders.len() == count.div_ceil(SEATS_PER_ORDER_MAX),
            "{} orders: {:?}",
            record.orders.len(),
            record.failures
        );
        Ok(())
    }

    /// Starts the race for the remaining seats, until [`Self::finish`] or the last seat.
    pub fn start(&mut self) {
        self.started = Instant::now();
        for mut buyer in self.buyers.drain(..) {
            let shared = Arc::clone(&self.shared);
            self.running.spawn(async move {
                while !shared.stop.load(Ordering::Relaxed) {
                    let at = shared.next_seat.fetch_add(1, Ordering::Relaxed) / RIVALS_PER_SEAT;
                    let Some(seat) = shared.sale_event.seats.get(at) else { break };
                    if let Err(error) = buyer.buy(&shared, &[*seat], at.is_multiple_of(HOLDS_PER_ORDER)).await {
                        shared.record().failures.push(format!("{error:#}"));
                    }
                }
                buyer
            });
        }
    }

    /// When the slowest node granted its first hold among those requested after `moment`.
    pub fn granted_at_every_node(&self, moment: Instant) -> Option<Instant> {
        let record = self.shared.record();
        let first = |grants: &Vec<(Instant, Instant)>| {
            let after = grants.iter().filter(|(requested, _)| *requested > moment);
            after.map(|(_, granted)| *granted).min()
        };
        let nodes: Vec<Option<Instant>> = record.grants.values().map(first).collect();
        if nodes.len() < 2 { None } else { nodes.into_iter().collect::<Option<Vec<_>>>()?.into_iter().max() }
    }

    /// Stops the race once every buyer has finished.
    pub async fn finish(mut self) -> anyhow::Result<SeatRaceRecord> {
        self.shared.stop.store(true, Ordering::Relaxed);
        std::mem::take(&mut self.running).join_all().await;
        let mut record = std::mem::take(&mut *self.shared.record());
        record.took = self.started.elapsed();
        Ok(record)
    }
}

struct SeatBuyer {
    node: usize,
    address: String,
    /// None before the first request and after an order: the next order is by another buyer, with limits of its own.
    session: Option<String>,
    connection: Option<RawConnection>,
}

impl SeatBuyer {
    /// Repeats a request while the response is 503.
    async fn send_until_served(&mut self, shared: &Shared, request: &[u8]) -> anyhow::Result<RawResponse> {
        let (address, connection) = (self.address.clone(), tokio::sync::Mutex::new(self.connection.take()));
        let response = until("a response other than 503", RETRY_TIMEOUT, || async {
            let mut held = connection.lock().await;
            let mut open = match held.take() {
                Some(open) => open,
                None => RawConnection::open(&address).await?,
            };
            let response = open.send(request).await?;
            *held = Some(open);
            if response.status == 503 {
                shared.record().retried += 1;
                return Ok(None);
            }
            Ok(Some(response))
        })
        .await;
        self.connection = connection.into_inner();
        response
    }

    /// The session of the next buyer.
    async fn session(&mut self, shared: &Shared) -> anyhow::Result<String> {
        if let Some(session) = &self.session {
            return Ok(session.clone());
        }
        let first = self
            .send_until_served(shared, &get(&format!("/api/v1/events/{}", shared.sale_event.event)))
            .await?
            .expect(200)?;
        let session = first.header("x-session").context("a first contact gives a session")?.to_owned();
        Ok(self.session.insert(session).clone())
    }

    /// Holds these seats, and orders or releases them; false where that was refused.
    async fn buy(&mut self, shared: &Shared, seats: &[u32], order: bool) -> anyhow::Result<bool> {
        let session = self.session(shared).await?;
        let hold = shared.sale_event.hold(seats, &session);
        let requested = Instant::now();
        let response = self.send_until_served(shared, &hold).await?;
        if response.status == 409 {
            shared.record().refused += 1;
            return Ok(false);
        }
        let held = HeldSeats::read(&response.expect(201)?)?;
        {
            let mut record = shared.record();
            record.granted += 1;
            record.grants.entry(self.node).or_default().push((requested, Instant::now()));
        }
        let request = if order { held.order() } else { held.release() };
        let response = self.send_until_served(shared, &request).await?;
        // The warm tier may have lost the hold, and another buyer may have taken the seats since.
        match response.status {
            204 if !order => Ok(true),
            409 | 410 => {
                shared.record().refused += 1;
                Ok(false)
            }
            _ => {
                let ordered = PlacedOrder::read(&response.expect(201)?)?;
                shared.record().orders.insert(ordered.id, seats.to_vec());
                self.session = None;
                Ok(true)
            }
        }
    }
}
