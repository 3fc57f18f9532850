//! Sends buyers through the balancer: a closed loop measures the capacity, an open loop sends them at a fixed rate without waiting for earlier ones.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::task::{JoinHandle, JoinSet};
use voelgoed_stress::raw_client::{CONNECTION_IDLE_MAX, RawConnection, get};
use voelgoed_stress::sale::{HeldSeats, PlacedOrder, SaleEvent};

const CLOSED_LOOP_CONNECTIONS: usize = 24;
/// Further buyers of the open loop find no connection, which counts as a failure.
const BUYERS_IN_FLIGHT_MAX: usize = 2_000;
/// One buyer in this many orders; the others release their seat.
const BUYERS_PER_ORDER: usize = 8;
/// Sessions that the buyers share in turn; coprime to [`BUYERS_PER_ORDER`], so that orders spread over all of them and each stays below its limit.
const SESSIONS: usize = 801;
/// A buyer without a response by then counts as a failure.
const BUYER_TIMEOUT: Duration = Duration::from_secs(20);
/// Goodput is counted in windows of this length.
const WINDOW: Duration = Duration::from_millis(500);

struct Shared {
    address: String,
    sale_event: SaleEvent,
    sessions: Vec<String>,
    next: AtomicUsize,
    idle: Mutex<VecDeque<(Instant, RawConnection)>>,
}

/// Buyers of one event, and the orders that they placed.
pub struct KilledNodeLoad {
    shared: Arc<Shared>,
    orders: Vec<String>,
}

/// The outcome of one buyer.
#[derive(Debug, Clone)]
pub struct Visit {
    due: Instant,
    ended: Instant,
    /// The acknowledged order, none where the seat was released; the error where the buyer was not served.
    outcome: Result<Option<String>, String>,
}

/// Goodput of an open loop around the kill of a node.
#[derive(Debug)]
pub struct Goodput {
    /// Buyers sent per second.
    pub offered: f64,
    /// Buyers served per second before the kill.
    pub before: f64,
    /// Buyers served per second from three seconds after the kill.
    pub after: f64,
    /// From the kill to the end of the last window below 0.95 of `before`.
    pub recovered: Duration,
    /// Buyers not served.
    pub failed: usize,
    first_error: Option<String>,
}

impl KilledNodeLoad {
    /// Prepares buyers of `sale_event` at `address`.
    pub async fn new(address: String, sale_event: SaleEvent) -> anyhow::Result<Self> {
        let mut connection = RawConnection::open(&address).await?;
        let mut sessions = Vec::with_capacity(SESSIONS);
        for _ in 0..SESSIONS {
            let known = connection.send(&get(&format!("/api/v1/events/{}", sale_event.event))).await?.expect(200)?;
            sessions.push(known.header("x-session").context("a first contact gives a session")?.to_owned());
        }
        let (next, idle) = (AtomicUsize::new(0), Mutex::default());
        Ok(Self { shared: Arc::new(Shared { address, sale_event, sessions, next, idle }), orders: Vec::new() })
    }

    /// Measures how many buyers are served per second when each starts as soon as another one ends.
    pub async fn capacity(&mut self, duration: Duration) -> anyhow::Result<f64> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut running = JoinSet::new();
        for _ in 0..CLOSED_LOOP_CONNECTIONS {
            let (shared, stop) = (Arc::clone(&self.shared), Arc::clone(&stop));
            running.spawn(async move {
                let mut orders = Vec::new();
                let mut served = 0_usize;
                while !stop.load(Ordering::Relaxed) {
                    orders.extend(visit(&shared).await?);
                    served += 1;
                }
                anyhow::Ok((served, orders))
            });
        }
        let start = Instant::now();
        tokio::time::sleep(duration).await;
        stop.store(true, Ordering::Relaxed);
        let mut served = 0;
        while let Some(ended) = running.join_next().await {
            let (count, orders) = ended??;
            served += count;
            self.orders.extend(orders);
        }
        ensure!(served > 0, "no buyer was served");
        Ok(served as f64 / start.elapsed().as_secs_f64())
    }

    /// Sends buyers at this rate for `duration`, and returns the outcome of each.
    pub fn open(&self, per_second: f64, duration: Duration) -> JoinHandle<anyhow::Result<Vec<Visit>>> {
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            let (start, mut running, mut visits) = (Instant::now(), JoinSet::new(), Vec::new());
            for number in 0.. {
                let due = start + Duration::from_secs_f64(f64::from(number) / per_second);
                if due > start + duration {
                    break;
                }
                tokio::time::sleep_until(due.into()).await;
                while let Some(ended) = running.try_join_next() {
                    visits.push(ended?);
                }
                if running.len() >= BUYERS_IN_FLIGHT_MAX {
                    visits.push(Visit {
                        due,
                        ended: Instant::now(),
                        outcome: Err("too many buyers are waiting".to_owned()),
                    });
                    continue;
                }
                let shared = Arc::clone(&shared);
                running.spawn(async move {
                    let outcome = match tokio::time::timeout(BUYER_TIMEOUT, visit(&shared)).await {
                        Ok(outcome) => outcome.map_err(|error| format!("{error:#}")),
                        Err(_) => Err("no response".to_owned()),
                    };
                    Visit { due, ended: Instant::now(), outcome }
                });
            }
            while let Some(ended) = running.join_next().await {
                visits.push(ended?);
            }
            Ok(visits)
        })
    }

    /// Remembers the orders of these visits.
    pub fn add_orders(&mut self, visits: &[Visit]) {
        self.orders.extend(visits.iter().filter_map(|visit| visit.outcome.as_ref().ok()?.clone()));
    }

    /// The orders acknowledged so far.
    pub fn orders(&self) -> &[String] {
        &self.orders
    }
}

/// One buyer: holds a seat of its own, then orders or releases it.
async fn visit(shared: &Shared) -> anyhow::Result<Option<String>> {
    let number = shared.next.fetch_add(1, Ordering::Relaxed);
    let seat = shared.sale_event.seats[number % shared.sale_event.seats.len()];
    let idle = shared.idle.lock().unwrap_or_else(PoisonError::into_inner).pop_back();
    let mut connection = match idle {
        Some((since, connection)) if since.elapsed() < CONNECTION_IDLE_MAX => connection,
        _ => RawConnection::open(&shared.address).await?,
    };
    let hold = shared.sale_event.hold(&[seat], &shared.sessions[number % shared.sessions.len()]);
    let held = HeldSeats::read(&connection.send(&hold).await?.expect(201).context("hold")?)?;
    let order = if number.is_multiple_of(BUYERS_PER_ORDER) {
        Some(PlacedOrder::read(&connection.send(&held.order()).await?.expect(201).context("order")?)?.id)
    } else {
        connection.send(&held.release()).await?.expect(204).context("release")?;
        None
    };
    shared.idle.lock().unwrap_or_else(PoisonError::into_inner).push_back((Instant::now(), connection));
    Ok(order)
}

impl Goodput {
    /// Counts when buyers were served around the kill; `part` is the time measured before it.
    pub fn measure(visits: &[Visit], per_second: f64, killed: Instant, part: Duration) -> Self {
        let good: Vec<Instant> = visits.iter().filter(|visit| visit.outcome.is_ok()).map(|visit| visit.ended).collect();
        let rate = |from: Instant, span: Duration| {
            let within = good.iter().filter(|ended| **ended >= from && **ended < from + span).count();
            within as f64 / span.as_secs_f64()
        };
        // The first quarter is left out: connections are opened then.
        let steady = part - part / 4;
        let (before, after) = (rate(killed - steady, steady), rate(killed + super::TAKEOVER_TIME, steady));
        let last = visits.iter().map(|visit| visit.due).max().unwrap_or(killed);
        let mut recovered = Duration::ZERO;
        let mut from = killed;
        while from + WINDOW <= last {
            if rate(from, WINDOW) < before * 0.95 {
                recovered = from + WINDOW - killed;
            }
            from += WINDOW;
        }
        let mut failed = visits.iter().filter_map(|visit| visit.outcome.as_ref().err().cloned());
        let first_error = failed.next();
        let failed = failed.count() + usize::from(first_error.is_some());
        Self { offered: per_second, before, after, recovered, failed, first_error }
    }
}

impl fmt::Display for Goodput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} buyers per second were sent, {:.0} were served before the kill, ", self.offered, self.before)?;
        write!(f, "{:.0} from 3 s after it on ({:.3}), ", self.after, self.after / self.before)?;
        write!(f, "the last window below 0.95 ended {:.1} s after it; ", self.recovered.as_secs_f64())?;
        write!(f, "{} were not served ({})", self.failed, self.first_error.as_deref().unwrap_or("no error"))
    }
}
