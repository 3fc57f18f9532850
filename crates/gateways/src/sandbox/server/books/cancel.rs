//! Taking a charge back before it is captured.
//!
//! Keeps: after the answer `voided` no money is ever taken under this key, whether or not a charge had come with it (P2).

use voelgoed_domain::time::Timestamp;

use super::{Books, Decided, Decision};
use crate::sandbox::protocol::{CancelAnswer, ChargeState, is_key};
use crate::sandbox::server::method::behaviour;
use crate::sandbox::server::record::{ChargeEntry, Record};
use crate::sandbox::server::refused::Refused;

impl Books {
    /// Voids a pending charge, bars an unknown key, and tells how things stand. A method that ignores cancellations stays `pending`.
    pub fn cancel(&self, key: &str, now: Timestamp, most_records: usize) -> Decided<CancelAnswer> {
        let Some(entry) = self.charges.get(key) else { return self.bar(key, now, most_records) };
        let obeys = behaviour(&entry.method).is_some_and(|behaviour| behaviour.obeys_cancel);
        if entry.state != ChargeState::Pending || !obeys {
            return Ok(Decision { record: None, answer: self.cancelled(entry) });
        }
        let voided = entry.clone().settled(ChargeState::Voided, now, 0);
        Ok(Decision { answer: self.cancelled(&voided), record: Some(Record::Charge(voided)) })
    }

    fn bar(&self, key: &str, now: Timestamp, most_records: usize) -> Decided<CancelAnswer> {
        let answer = CancelAnswer { key: key.to_owned(), state: ChargeState::Voided, charge: None };
        if self.barred.contains_key(key) {
            return Ok(Decision { record: None, answer });
        }
        if !is_key(key) {
            return Err(Refused::Invalid("key: 1 to 200 letters, digits and _ - . : are allowed".to_owned()));
        }
        if self.len() >= most_records {
            return Err(Refused::Full);
        }
        Ok(Decision { record: Some(Record::Barred { key: key.to_owned(), at: now }), answer })
    }

    fn cancelled(&self, entry: &ChargeEntry) -> CancelAnswer {
        CancelAnswer { key: entry.key.clone(), state: entry.state, charge: Some(self.tell(entry)) }
    }
}
