//! Buyers through the balancer: a closed loop that finds how many are served at most, and an open one in which they come when they come.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::task::{JoinHandle, JoinSet};
use voelgoed_stress::client::{Connection, get};
use voelgoed_stress::sale::{Held, Ordered, Show};

/// Connections of the closed loop.
const AT_ONCE: usize = 24;
/// Buyers under way at once in the open one; beyond it they find no connection, which counts as not served.
const MOST: usize = 2_000;
/// HAProxy closes a connection that rested for ten seconds.
const LONGEST_REST: Duration = Duration::from_secs(5);
/// Every so many buyers order; the others give their seat back.
const ORDERS_EVERY: usize = 8;
/// Sessions that the buyers share in turn. No multiple of [`ORDERS_EVERY`] divides it, so that all of them order and each stays below its limit.
const SESSIONS: usize = 801;
/// A buyer who has no answer by then has left.
const ANSWER: Duration = Duration::from_secs(20);
/// Goodput is looked at in pieces of this length.
const WINDOW: Duration = Duration::from_millis(500);

struct Shared {
    address: String,
    show: Show,
    sessions: Vec<String>,
    next: AtomicUsize,
    idle: Mutex<VecDeque<(Instant, Connection)>>,
}

/// Who comes, and what they bought.
pub struct Load {
    shared: Arc<Shared>,
    orders: Vec<String>,
}

/// What became of one buyer.
#[derive(Debug, Clone)]
pub struct Visit {
    due: Instant,
    ended: Instant,
    /// The order, where one was acknowledged; none where nothing was wanted. The error in words where the buyer was not served.
    end: Result<Option<String>, String>,
}

/// What a run brought.
#[derive(Debug)]
pub struct Served {
    /// Buyers who came, a second.
    pub offered: f64,
    /// Served a second before the kill.
    pub before: f64,
    /// Served a second from three seconds after it on.
    pub after: f64,
    /// From the kill until no piece was below 0.95 of before any more.
    pub recovered: Duration,
    /// Not served at all.
    pub failed: usize,
    first: Option<String>,
}

impl Load {
    /// Buyers of `show` through `address`.
    pub async fn new(address: String, show: Show) -> anyhow::Result<Self> {
        let mut connection = Connection::open(&address).await?;
        let mut sessions = Vec::with_capacity(SESSIONS);
        for _ in 0..SESSIONS {
            let known = connection.send(&get(&format!("/api/v1/events/{}", show.event))).await?.expect(200)?;
            sessions.push(known.header("x-session").context("a first contact gives a session")?.to_owned());
        }
        let (next, idle) = (AtomicUsize::new(0), Mutex::default());
        Ok(Self { shared: Arc::new(Shared { address, show, sessions, next, idle }), orders: Vec::new() })
    }

    /// How many a second are served when each comes as soon as another has left.
    pub async fn capacity(&mut self, within: Duration) -> anyhow::Result<f64> {
        let over = Arc::new(AtomicBool::new(false));
        let mut at_work = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (shared, over) = (Arc::clone(&self.shared), Arc::clone(&over));
            at_work.spawn(async move {
                let mut orders = Vec::new();
                let mut served = 0_usize;
                while !over.load(Ordering::Relaxed) {
                    orders.extend(visit(&shared).await?);
                    served += 1;
                }
                anyhow::Ok((served, orders))
            });
        }
        let watch = Instant::now();
        tokio::time::sleep(within).await;
        over.store(true, Ordering::Relaxed);
        let mut served = 0;
        while let Some(ended) = at_work.join_next().await {
            let (count, orders) = ended??;
            served += count;
            self.orders.extend(orders);
        }
        ensure!(served > 0, "nobody was served");
        Ok(served as f64 / watch.elapsed().as_secs_f64())
    }

    /// Lets buyers come at this rate for so long; what became of each.
    pub fn open(&self, per_second: f64, within: Duration) -> JoinHandle<anyhow::Result<Vec<Visit>>> {
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            let (start, mut at_work, mut visits) = (Instant::now(), JoinSet::new(), Vec::new());
            for number in 0.. {
                let due = start + Duration::from_secs_f64(f64::from(number) / per_second);
                if due > start + within {
                    break;
                }
                tokio::time::sleep_until(due.into()).await;
                while let Some(ended) = at_work.try_join_next() {
                    visits.push(ended?);
                }
                if at_work.len() >= MOST {
                    visits.push(Visit { due, ended: Instant::now(), end: Err("too many are waiting".to_owned()) });
                    continue;
                }
                let shared = Arc::clone(&shared);
                at_work.spawn(async move {
                    let end = match tokio::time::timeout(ANSWER, visit(&shared)).await {
                        Ok(end) => end.map_err(|error| format!("{error:#}")),
                        Err(_) => Err("no answer".to_owned()),
                    };
                    Visit { due, ended: Instant::now(), end }
                });
            }
            while let Some(ended) = at_work.join_next().await {
                visits.push(ended?);
            }
            Ok(visits)
        })
    }

    /// Takes in what was ordered.
    pub fn learn(&mut self, visits: &[Visit]) {
        self.orders.extend(visits.iter().filter_map(|visit| visit.end.as_ref().ok()?.clone()));
    }

    /// What was acknowledged so far.
    pub fn orders(&self) -> &[String] {
        &self.orders
    }
}

/// One buyer: a seat of one's own, then an order or its return.
async fn visit(shared: &Shared) -> anyhow::Result<Option<String>> {
    let number = shared.next.fetch_add(1, Ordering::Relaxed);
    let seat = shared.show.seats[number % shared.show.seats.len()];
    let rested = shared.idle.lock().unwrap_or_else(PoisonError::into_inner).pop_back();
    let mut connection = match rested {
        Some((since, connection)) if since.elapsed() < LONGEST_REST => connection,
        _ => Connection::open(&shared.address).await?,
    };
    let hold = shared.show.hold(&[seat], &shared.sessions[number % shared.sessions.len()]);
    let held = Held::of(&connection.send(&hold).await?.expect(201).context("hold")?)?;
    let order = if number.is_multiple_of(ORDERS_EVERY) {
        Some(Ordered::of(&connection.send(&held.order()).await?.expect(201).context("order")?)?.id)
    } else {
        connection.send(&held.release()).await?.expect(204).context("release")?;
        None
    };
    shared.idle.lock().unwrap_or_else(PoisonError::into_inner).push_back((Instant::now(), connection));
    Ok(order)
}

impl Served {
    /// Judged by when buyers were served, against how many came.
    pub fn of(visits: &[Visit], per_second: f64, killed: Instant, part: Duration) -> Self {
        let good: Vec<Instant> = visits.iter().filter(|visit| visit.end.is_ok()).map(|visit| visit.ended).collect();
        let rate = |from: Instant, span: Duration| {
            let within = good.iter().filter(|ended| **ended >= from && **ended < from + span).count();
            within as f64 / span.as_secs_f64()
        };
        // The first moments of the run are left out: connections are opened then.
        let steady = part - part / 4;
        let (before, after) = (rate(killed - steady, steady), rate(killed + super::TAKEN_OVER, steady));
        let last = visits.iter().map(|visit| visit.due).max().unwrap_or(killed);
        let mut recovered = Duration::ZERO;
        let mut from = killed;
        while from + WINDOW <= last {
            if rate(from, WINDOW) < before * 0.95 {
                recovered = from + WINDOW - killed;
            }
            from += WINDOW;
        }
        let mut failed = visits.iter().filter_map(|visit| visit.end.as_ref().err().cloned());
        let first = failed.next();
        let failed = failed.count() + usize::from(first.is_some());
        Self { offered: per_second, before, after, recovered, failed, first }
    }
}

impl fmt::Display for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} buyers a second came, {:.0} were served before the kill, ", self.offered, self.before)?;
        write!(f, "{:.0} from 3 s after it on ({:.3}), ", self.after, self.after / self.before)?;
        write!(f, "the last piece below 0.95 ended {:.1} s after it; ", self.recovered.as_secs_f64())?;
        write!(f, "{} were not served ({})", self.failed, self.first.as_deref().unwrap_or("nobody"))
    }
}
