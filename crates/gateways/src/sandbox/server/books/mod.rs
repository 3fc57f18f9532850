//! What the provider knows, in memory, and every decision over it: pure, one file per decision.
//!
//! Never: a clock, a file, a lock. A decision returns the record to write and the answer to give; only [`Books::apply`] changes anything,
//! so the data file replayed through it gives the same books.

mod callback;
mod cancel;
mod capture;
mod charge;
mod refund;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use voelgoed_domain::time::Timestamp;

pub use callback::Outgoing;

use super::record::{ChargeEntry, Record, RefundEntry};
use super::refused::Refused;
use crate::sandbox::protocol::{ChargeAnswer, RefundAnswer, RefundState};

/// Everything the provider knows.
#[derive(Debug, Default)]
pub struct Books {
    charges: BTreeMap<String, ChargeEntry>,
    refunds: BTreeMap<String, RefundEntry>,
    barred: BTreeMap<String, Timestamp>,
    callback_url: Option<String>,
    /// Per charge, the sum of its refunds; follows from `refunds`.
    refunded: BTreeMap<String, i64>,
    /// What will be captured when; follows from `charges`.
    captures: BTreeSet<(Timestamp, String)>,
    /// Identifiers of callbacks that wait, with the key of their charge; follows from `charges`.
    waiting: BTreeMap<String, String>,
}

/// What a decision comes to: at most one record to write, and the answer once it is written.
#[derive(Debug, PartialEq, Eq)]
pub struct Decision<T> {
    /// Nothing where everything is as it was.
    pub record: Option<Record>,
    /// For the caller.
    pub answer: T,
}

/// A decision, or why there is none.
pub type Decided<T> = Result<Decision<T>, Refused>;

impl Books {
    /// Takes a record over; the same again changes nothing.
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
            for (_, id) in before.waiting() {
                self.waiting.remove(&id);
            }
        }
        if let Some(at) = entry.capture_at {
            self.captures.insert((at, entry.key.clone()));
        }
        for (_, id) in entry.waiting() {
            self.waiting.insert(id, entry.key.clone());
        }
        self.charges.insert(entry.key.clone(), entry);
    }

    /// The fewest records that give these books again.
    pub fn records(&self) -> impl Iterator<Item = Record> + '_ {
        let target = self.callback_url.iter().map(|url| Record::CallbackUrl { url: url.clone() });
        let barred = self.barred.iter().map(|(key, at)| Record::Barred { key: key.clone(), at: *at });
        let charges = self.charges.values().cloned().map(Record::Charge);
        let refunds = self.refunds.values().cloned().map(Record::Refund);
        target.chain(barred).chain(charges).chain(refunds)
    }

    /// Charges, refunds and barred keys together.
    pub fn len(&self) -> usize {
        self.charges.len() + self.refunds.len() + self.barred.len()
    }

    /// How a charge stands.
    pub fn charge_answer(&self, key: &str) -> Result<ChargeAnswer, Refused> {
        self.charges.get(key).map(|entry| self.tell(entry)).ok_or(Refused::UnknownCharge)
    }

    /// How a refund stands.
    pub fn refund_answer(&self, key: &str) -> Result<RefundAnswer, Refused> {
        self.refunds.get(key).map(tell_refund).ok_or(Refused::UnknownRefund)
    }

    fn tell(&self, entry: &ChargeEntry) -> ChargeAnswer {
        ChargeAnswer {
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

fn tell_refund(entry: &RefundEntry) -> RefundAnswer {
    RefundAnswer {
        key: entry.key.clone(),
        charge: entry.charge.clone(),
        state: RefundState::Done,
        amount: entry.amount,
        currency: entry.currency.clone(),
        provider_ref: entry.provider_ref.clone(),
        at: entry.at,
    }
}
