//! Records the responses that the clients of one organization received. Lost responses are only counted.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::clients::{IssuedTicket, OrderRecord, RefundRecord, TicketQueues};

/// The stores that know a scan, by its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanKnowledge {
    /// Cold and warm: `durable`, not `degraded`.
    Both,
    /// Cold alone: `durable` and `degraded`.
    ColdAlone,
    /// Warm alone: not `durable`.
    WarmAlone,
}

/// The first admission in the responses to a scan.
#[derive(Debug, Clone)]
pub struct Admission {
    /// Before the request.
    pub from: Instant,
    /// After the response.
    pub until: Instant,
    /// The stores that knew the scan then.
    pub known_by: ScanKnowledge,
}

/// A scan that was repeated under its own id until its response was durable.
#[derive(Debug, Clone)]
pub struct StormScan {
    /// The scanned ticket.
    pub ticket: IssuedTicket,
    /// The durable outcome: `admitted`, or the reason of a refusal.
    pub outcome: String,
    /// From the first response that admitted, durable or not.
    pub admission: Option<Admission>,
    /// When the durable response arrived.
    pub durable: Instant,
    /// True where warm lost data between a response that was not durable and the durable one.
    pub warm_lost: bool,
}

/// All acknowledgements, each list in the order of the responses.
#[derive(Debug, Default)]
pub struct StormRecords {
    pub orders: Vec<OrderRecord>,
    pub scans: Vec<StormScan>,
    pub refunds: Vec<RefundRecord>,
    /// Scans of tickets whose refund was acknowledged before.
    pub scans_after_refund: Vec<StormScan>,
    /// Tickets that wait for a scan or a refund.
    pub tickets: TicketQueues,
    /// Requests that were repeated after an error or without a response.
    pub repeated: usize,
    /// Scans that warm alone decided first.
    pub scans_by_warm: usize,
    /// Scans that cold alone decided.
    pub scans_by_cold: usize,
    /// Refused by contract: a seat was taken, or the hold was lost.
    pub refused: usize,
    /// Data of the other organization that a foreign key could read.
    pub foreign_reads: Vec<String>,
    /// Attempts to read data of the other organization.
    pub foreign_attempts: usize,
}

/// The record that all clients of an organization share.
#[derive(Debug, Default)]
pub struct StormRecord(Mutex<StormRecords>);

impl StormRecord {
    /// Locks the record.
    pub fn lock(&self) -> MutexGuard<'_, StormRecords> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for StormRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let records = self.lock();
        let (orders, scans, refunds) = (records.orders.len(), records.scans.len(), records.refunds.len());
        let (by_warm, by_cold) = (records.scans_by_warm, records.scans_by_cold);
        write!(f, "{orders} orders, {scans} scans ({by_warm} by warm, {by_cold} by cold alone), {refunds} refunds, ")?;
        write!(f, "{} refused, {} repeated", records.refused, records.repeated)
    }
}
