//! Buyers at every node who want the same seats at the same time, and their journal: what they were told, seat by seat.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::task::JoinSet;
use voelgoed_stress::client::{Answer, Connection, get};
use voelgoed_stress::sale::{Held, MOST_SEATS, Ordered, Show};
use voelgoed_testkit::until::until;

/// So many want each seat, one after the other at another node.
const RIVALS: usize = 2;
/// Every so many holds become an order; the others are given back.
const ORDERS_EVERY: usize = 3;
/// Whoever is told to try again does, for so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// What everybody was told.
#[derive(Debug, Default)]
pub struct Tally {
    /// `evt_…`
    pub event: String,
    /// Acknowledged orders, with the seats that they asked for.
    pub orders: BTreeMap<String, Vec<u32>>,
    /// Holds granted.
    pub granted: usize,
    /// Refused with a clean word: somebody was faster, or the hold was lost.
    pub refused: usize,
    /// Told to try again.
    pub again: usize,
    /// From gathering to dispersing.
    pub took: Duration,
    /// By node: when each hold was asked for, and when it was granted.
    grants: BTreeMap<usize, Vec<(Instant, Instant)>>,
    faults: Vec<String>,
}

impl Tally {
    /// True where every answer was one that the contract names for it.
    pub fn no_fault(&self) -> anyhow::Result<()> {
        ensure!(self.faults.is_empty(), "{} faults, the first: {}", self.faults.len(), self.faults[0]);
        Ok(())
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (orders, granted, refused, again) = (self.orders.len(), self.granted, self.refused, self.again);
        write!(f, "{orders} orders, {granted} holds, {refused} refused, {again} told to try again, ")?;
        write!(f, "in {:.1} s at the peak", self.took.as_secs_f64())
    }
}

/// What they share.
struct Shared {
    show: Show,
    /// The next seat that is wanted, times [`RIVALS`].
    wanted: AtomicUsize,
    over: AtomicBool,
    tally: Mutex<Tally>,
}

impl Shared {
    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The crowd.
pub struct Crowd {
    shared: Arc<Shared>,
    buyers: Vec<Buyer>,
    at_work: JoinSet<Buyer>,
    since: Instant,
}

impl Crowd {
    /// So many buyers at each node.
    pub async fn new(nodes: &[String], show: Show, each: usize) -> anyhow::Result<Self> {
        let mut buyers = Vec::new();
        for number in 0..each * nodes.len() {
            let node = number % nodes.len();
            let connection = Connection::open(&nodes[node]).await?;
            buyers.push(Buyer { node, address: nodes[node].clone(), session: None, connection: Some(connection) });
        }
        let tally = Mutex::new(Tally { event: show.event.clone(), ..Tally::default() });
        let (wanted, over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let shared = Arc::new(Shared { show, wanted, over, tally });
        Ok(Self { shared, buyers, at_work: JoinSet::new(), since: Instant::now() })
    }

    /// Sells the first `count` seats in large orders.
    pub async fn sell(&mut self, count: usize) -> anyhow::Result<()> {
        let next = Arc::new(AtomicUsize::new(0));
        for mut buyer in self.buyers.drain(..) {
            let (shared, next) = (Arc::clone(&self.shared), Arc::clone(&next));
            self.at_work.spawn(async move {
                loop {
                    let from = next.fetch_add(MOST_SEATS, Ordering::Relaxed);
                    if from >= count {
                        return buyer;
                    }
                    let seats = shared.show.seats[from..count.min(from + MOST_SEATS)].to_vec();
                    match buyer.buy(&shared, &seats, true).await {
                        Ok(true) => {}
                        Ok(false) => shared.tally().faults.push(format!("seats {seats:?} were refused")),
                        Err(error) => shared.tally().faults.push(format!("{error:#}")),
                    }
                }
            });
        }
        self.buyers = std::mem::take(&mut self.at_work).join_all().await;
        self.shared.wanted.store(count * RIVALS, Ordering::Relaxed);
        let mut tally = self.shared.tally();
        tally.grants.clear();
        (tally.granted, tally.refused, tally.again) = (0, 0, 0);
        ensure!(tally.orders.len() == count.div_ceil(MOST_SEATS), "{} orders: {:?}", tally.orders.len(), tally.faults);
        Ok(())
    }

    /// Lets them fight for the rest, until [`Self::disperse`] or the last seat.
    pub fn gather(&mut self) {
        self.since = Instant::now();
        for mut buyer in self.buyers.drain(..) {
            let shared = Arc::clone(&self.shared);
            self.at_work.spawn(async move {
                while !shared.over.load(Ordering::Relaxed) {
                    let wanted = shared.wanted.fetch_add(1, Ordering::Relaxed) / RIVALS;
                    let Some(seat) = shared.show.seats.get(wanted) else { break };
                    if let Err(error) = buyer.buy(&shared, &[*seat], wanted.is_multiple_of(ORDERS_EVERY)).await {
                        shared.tally().faults.push(format!("{error:#}"));
                    }
                }
                buyer
            });
        }
    }

    /// When the slowest node granted its first hold among those asked for after `moment`.
    pub fn granted_everywhere(&self, moment: Instant) -> Option<Instant> {
        let tally = self.shared.tally();
        let first = |grants: &Vec<(Instant, Instant)>| {
            let after = grants.iter().filter(|(asked, _)| *asked > moment);
            after.map(|(_, granted)| *granted).min()
        };
        let nodes: Vec<Option<Instant>> = tally.grants.values().map(first).collect();
        if nodes.len() < 2 { None } else { nodes.into_iter().collect::<Option<Vec<_>>>()?.into_iter().max() }
    }

    /// Lets everybody finish what they began.
    pub async fn disperse(mut self) -> anyhow::Result<Tally> {
        self.shared.over.store(true, Ordering::Relaxed);
        std::mem::take(&mut self.at_work).join_all().await;
        let mut tally = std::mem::take(&mut *self.shared.tally());
        tally.took = self.since.elapsed();
        Ok(tally)
    }
}

/// One of them.
struct Buyer {
    node: usize,
    address: String,
    /// None before the first request and after an order: whoever orders next is another buyer, with limits of its own.
    session: Option<String>,
    connection: Option<Connection>,
}

impl Buyer {
    /// Sends until there is an answer that stays; whatever is sent may be sent twice.
    async fn insist(&mut self, shared: &Shared, request: &[u8]) -> anyhow::Result<Answer> {
        let (address, connection) = (self.address.clone(), tokio::sync::Mutex::new(self.connection.take()));
        let answer = until("an answer", PATIENCE, || async {
            let mut held = connection.lock().await;
            let mut open = match held.take() {
                Some(open) => open,
                None => Connection::open(&address).await?,
            };
            let answer = open.send(request).await?;
            *held = Some(open);
            if answer.status == 503 {
                shared.tally().again += 1;
                return Ok(None);
            }
            Ok(Some(answer))
        })
        .await;
        self.connection = connection.into_inner();
        answer
    }

    /// The session of the one who buys next.
    async fn session(&mut self, shared: &Shared) -> anyhow::Result<String> {
        if let Some(session) = &self.session {
            return Ok(session.clone());
        }
        let first = self.insist(shared, &get(&format!("/api/v1/events/{}", shared.show.event))).await?.expect(200)?;
        let session = first.header("x-session").context("a first contact gives a session")?.to_owned();
        Ok(self.session.insert(session).clone())
    }

    /// Holds these seats, and orders them or gives them back; false where that was refused.
    async fn buy(&mut self, shared: &Shared, seats: &[u32], order: bool) -> anyhow::Result<bool> {
        let session = self.session(shared).await?;
        let hold = shared.show.hold(seats, &session);
        let asked = Instant::now();
        let answer = self.insist(shared, &hold).await?;
        if answer.status == 409 {
            shared.tally().refused += 1;
            return Ok(false);
        }
        let held = Held::of(&answer.expect(201)?)?;
        {
            let mut tally = shared.tally();
            tally.granted += 1;
            tally.grants.entry(self.node).or_default().push((asked, Instant::now()));
        }
        let request = if order { held.order() } else { held.release() };
        let answer = self.insist(shared, &request).await?;
        // What was held went with the warm tier, and somebody else may have been faster since.
        match answer.status {
            204 if !order => Ok(true),
            409 | 410 => {
                shared.tally().refused += 1;
                Ok(false)
            }
            _ => {
                let ordered = Ordered::of(&answer.expect(201)?)?;
                shared.tally().orders.insert(ordered.id, seats.to_vec());
                self.session = None;
                Ok(true)
            }
        }
    }
}
