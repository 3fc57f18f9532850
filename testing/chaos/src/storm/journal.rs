//! What the clients of one organization were told, in memory. Only answers that arrived are in it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use voelgoed_testkit::buyer::{OrderRequest, Placed};

/// An acknowledged order.
#[derive(Debug, Clone)]
pub struct Bought {
    /// How it was asked for.
    pub request: OrderRequest,
    /// What was answered.
    pub order: Placed,
}

/// Which stores know of a scan, as its answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Cold and warm: `durable`, not `degraded`.
    Both,
    /// Cold alone: `durable` and `degraded`.
    ColdAlone,
    /// Warm alone: not `durable`.
    WarmAlone,
}

/// Somebody was let in.
#[derive(Debug, Clone)]
pub struct LetIn {
    /// Before it was asked for.
    pub from: Instant,
    /// After it was answered.
    pub until: Instant,
    /// Who knew of it then.
    pub known: Known,
}

/// One reading of a ticket at the gate, sent until it was answered as durable.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The ticket's code.
    pub code: String,
    /// The ticket's order: `ord_…`
    pub order: String,
    /// `tkt_…`
    pub ticket: String,
    /// The durable answer: `admitted` or a reason.
    pub word: String,
    /// By the first answer that said so, also one that was not durable.
    pub let_in: Option<LetIn>,
    /// When the durable answer was there.
    pub durable: Instant,
    /// True where warm lost something between an answer that was not durable and the one that was.
    pub warm_lost: bool,
}

/// An acknowledged refund.
#[derive(Debug, Clone)]
pub struct GivenBack {
    /// `ord_…`
    pub order: String,
    /// `ref_…`
    pub refund: String,
}

/// A ticket that somebody may now use.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// `ord_…`
    pub order: String,
    /// `tkt_…`
    pub id: String,
    /// Its code.
    pub code: String,
}

/// Everything.
#[derive(Debug, Default)]
pub struct Pages {
    /// In the order in which they were acknowledged.
    pub orders: Vec<Bought>,
    /// The same.
    pub readings: Vec<Reading>,
    /// The same.
    pub refunds: Vec<GivenBack>,
    /// Readings of tickets whose refund was acknowledged before.
    pub turned_away: Vec<Reading>,
    /// On their way to the gate.
    pub to_admit: VecDeque<Ticket>,
    /// On their way back.
    pub to_give_back: VecDeque<Ticket>,
    /// Answers that never came or were a fault, and were asked for again.
    pub again: usize,
    /// Scans that warm alone decided first.
    pub by_warm: usize,
    /// Scans that cold alone decided.
    pub by_cold: usize,
    /// Refused with a clean word: somebody was faster, or the hold was lost.
    pub refused: usize,
    /// What somebody saw of the other organization.
    pub seen_elsewhere: Vec<String>,
    /// How often somebody tried.
    pub looks_elsewhere: usize,
}

/// The journal, shared by all clients of an organization.
#[derive(Debug, Default)]
pub struct Journal(Mutex<Pages>);

impl Journal {
    /// Opens it.
    pub fn open(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pages = self.open();
        let (orders, readings, refunds) = (pages.orders.len(), pages.readings.len(), pages.refunds.len());
        let (by_warm, by_cold) = (pages.by_warm, pages.by_cold);
        write!(
            f,
            "{orders} orders, {readings} scans ({by_warm} by warm, {by_cold} by cold alone), {refunds} refunds, "
        )?;
        write!(f, "{} refused, {} asked again", pages.refused, pages.again)
    }
}
