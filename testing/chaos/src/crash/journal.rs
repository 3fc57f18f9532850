//! What the clients were told, in memory: orders, admissions, refunds. Only answers that arrived are in it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use voelgoed_testkit::buyer::{OrderRequest, Placed};
use voelgoed_testkit::scanner::ScanRequest;

/// An acknowledged order.
#[derive(Debug, Clone)]
pub struct Bought {
    /// How it was asked for.
    pub request: OrderRequest,
    /// What was answered.
    pub order: Placed,
}

/// An acknowledged scan.
#[derive(Debug, Clone)]
pub struct Scanned {
    /// How it was asked for.
    pub request: ScanRequest,
    /// The ticket's code.
    pub code: String,
    /// `tkt_…`
    pub ticket: String,
    /// `admitted` or a reason.
    pub word: String,
}

/// An acknowledged refund.
#[derive(Debug, Clone)]
pub struct GivenBack {
    /// `ord_…`
    pub order: String,
    /// `tkt_…`
    pub ticket: String,
    /// Its code.
    pub code: String,
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
    pub scans: Vec<Scanned>,
    /// The same.
    pub refunds: Vec<GivenBack>,
    /// On their way to the gate.
    pub to_admit: VecDeque<Ticket>,
    /// On their way back.
    pub to_give_back: VecDeque<Ticket>,
    /// Answers that never came, and were asked for again.
    pub unanswered: usize,
    /// Holds that a crash took away before they were orders.
    pub holds_lost: usize,
}

/// The journal, shared by all clients.
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
        let (orders, scans, refunds) = (pages.orders.len(), pages.scans.len(), pages.refunds.len());
        let (unanswered, holds) = (pages.unanswered, pages.holds_lost);
        write!(f, "{orders} orders, {scans} scans, {refunds} refunds; {unanswered} answers lost, {holds} holds lost")
    }
}
