//! Holds charges, refunds and barred keys in memory and decides every change without side effects, one file per decision.
//!
//! Never: a clock, a file, a lock. A decision returns the record to write and the reply; only [`ProviderState::apply`] changes the state,
//! so replaying the data file through it restores the same state.

mod cancel;
mod capture;
mod charge;
mod pending_callbacks;
mod refund;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use voelgoed_domain::time::Timestamp;

pub use pending_callbacks::PendingCallback;

use crate::protocol::{ChargeReply, RefundReply, RefundState};
use crate::record::{ChargeEntry, Record, RefundEntry};
use crate::request_error::RequestError;

/// Everything the provider remembers.
#[derive(Debug, Default)]
pub struct ProviderState {
    charges: BTreeMap<String, ChargeEntry>,
    refunds: BTreeMap<String, RefundEntry>,
    barred: BTreeMap<String, Timestamp>,
    callback_url: Option<String>,
    /// The sum of refunds per charge; derived from `refunds`.
    refunded: BTreeMap<String, i64>,
    /// Due times of pending captures; derived from `charges`.
    captures: BTreeSet<(Timestamp, String)>,
    /// Identifiers of undelivered callbacks with the key of their charge; derived from `charges`.
    pending_callbacks: BTreeMap<String, String>,
}

/// The result of a decision: the record to write, if any, and the reply to give once it is flushed.
#[derive(Debug, PartialEq, Eq)]
pub struct StateChange<T> {
    /// None where nothing changes.
    pub record: Option<Record>,
    pub reply: T,
}

/// A change, or why the request is refused.
pub type ChangeResult<T> = Result<StateChange<T>, RequestError>;

impl ProviderState {
    /// Applies a record. Idempotent.
    pub fn apply(&mut self, record: Record) {
        match record {
            Record::Charge(entry) => self.apply_charge(entry),
            Record::Refund(entry) => {
                let charge = entry.charge.clone();
                let amount = entry.amount;
                if self.refunds.insert(entry.key.clone(), entry).is_none() {
                    *self.refunded.entry(charge).or_default() += amount;
                }
            }
            Record::Barred { key, at } => {
                self.barred.insert(key, at);
            }
            Record::CallbackUrl { url } => self.callback_url = Some(url),
        }
    }

    fn apply_charge(&mut self, entry: ChargeEntry) {
        if let Some(before) = self.charges.remove(&entry.key) {
            if let Some(at) = before.capture_at {
                self.captures.remove(&(at, before.key.clone()));
            }
            for (_, id) in before.pending_callbacks() {
                self.pending_callbacks.remove(&id);
            }
        }
        if let Some(at) = entry.capture_at {
            self.captures.insert((at, entry.key.clone()));
        }
        for (_, id) in entry.pending_callbacks() {
            self.pending_callbacks.insert(id, entry.key.clone());
        }
        self.charges.insert(entry.key.clone(), entry);
    }

    /// The smallest list of records that restores this state.
    pub fn records(&self) -> impl Iterator<Item = Record> + '_ {
        let callback_url = self.callback_url.iter().map(|url| Record::CallbackUrl { url: url.clone() });
        let barred = self.barred.iter().map(|(key, at)| Record::Barred { key: key.clone(), at: *at });
        let charges = self.charges.values().cloned().map(Record::Charge);
        let refunds = self.refunds.values().cloned().map(Record::Refund);
        callback_url.chain(barred).chain(charges).chain(refunds)
    }

    /// Charges, refunds and barred keys together.
    pub fn record_count(&self) -> usize {
        self.charges.len() + self.refunds.len() + self.barred.len()
    }

    pub fn charge_reply(&self, key: &str) -> Result<ChargeReply, RequestError> {
        self.charges.get(key).map(|entry| self.reply_for_charge(entry)).ok_or(RequestError::UnknownCharge)
    }

    pub fn refund_reply(&self, key: &str) -> Result<RefundReply, RequestError> {
        self.refunds.get(key).map(reply_for_refund).ok_or(RequestError::UnknownRefund)
    }

    fn reply_for_charge(&self, entry: &ChargeEntry) -> ChargeReply {
        ChargeReply {
            key: entry.key.clone(),
            state: entry.state,
            amount: entry.amount,
            currency: entry.currency.clone(),
            method: entry.method.clone(),
            provider_ref: entry.provider_ref.clone(),
            refunded: self.refunded.get(&entry.key).copied().unwrap_or(0),
            created_at: entry.created_at,
            settled_at: entry.settled_at,
        }
    }
}

fn reply_for_refund(entry: &RefundEntry) -> RefundReply {
    RefundReply {
        key: entry.key.clone(),
        charge: entry.charge.clone(),
        state: RefundState::Done,
        amount: entry.amount,
        currency: entry.currency.clone(),
        provider_ref: entry.provider_ref.clone(),
        at: entry.at,
    }
}
