//! Records the responses that clients of the crash suite received: orders, admissions, refunds. Lost responses are only counted.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use voelgoed_testkit::scanner::ScanRequest;

use crate::clients::{IssuedTicket, OrderRecord, RefundRecord, TicketQueues};

/// An acknowledged scan.
#[derive(Debug, Clone)]
pub struct ScanRecord {
    /// Can be repeated.
    pub request: ScanRequest,
    /// The scanned ticket.
    pub ticket: IssuedTicket,
    /// `admitted`, or the reason of a refusal.
    pub outcome: String,
}

/// All acknowledgements, each list in the order of the responses.
#[derive(Debug, Default)]
pub struct CrashRecords {
    pub orders: Vec<OrderRecord>,
    pub scans: Vec<ScanRecord>,
    pub refunds: Vec<RefundRecord>,
    /// Tickets that wait for a scan or a refund.
    pub tickets: TicketQueues,
    /// Requests without a response, which were repeated.
    pub lost_responses: usize,
    /// Holds that a crash lost before they were ordered.
    pub lost_holds: usize,
}

/// The record that all clients of the crash suite share.
#[derive(Debug, Default)]
pub struct CrashRecord(Mutex<CrashRecords>);

impl CrashRecord {
    /// Locks the record.
    pub fn lock(&self) -> MutexGuard<'_, CrashRecords> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for CrashRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let records = self.lock();
        let (orders, scans, refunds) = (records.orders.len(), records.scans.len(), records.refunds.len());
        let (responses, holds) = (records.lost_responses, records.lost_holds);
        write!(f, "{orders} orders, {scans} scans, {refunds} refunds; {responses} responses lost, {holds} holds lost")
    }
}
