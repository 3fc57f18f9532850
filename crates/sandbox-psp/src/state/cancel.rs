//! Cancels a charge before it is captured, and bars a key that is cancelled before its charge arrives.
//!
//! Never: money taken under a key after the reply `voided`, also where the charge arrives later (P2).

use voelgoed_domain::time::Timestamp;

use super::{ChangeResult, ProviderState, StateChange};
use crate::payment_methods::behaviour_of;
use crate::protocol::{CancelReply, ChargeState, is_key};
use crate::record::{ChargeEntry, Record};
use crate::request_error::RequestError;

impl ProviderState {
    /// Voids a pending charge and bars an unknown key. A charge of a method that ignores cancellations stays `pending`.
    pub fn cancel(&self, key: &str, now: Timestamp, records_max: usize) -> ChangeResult<CancelReply> {
        let Some(entry) = self.charges.get(key) else { return self.bar(key, now, records_max) };
        let is_cancellable = behaviour_of(&entry.method).is_some_and(|behaviour| behaviour.is_cancellable);
        if entry.state != ChargeState::Pending || !is_cancellable {
            return Ok(StateChange { record: None, reply: self.cancel_reply(entry) });
        }
        let voided = entry.clone().settled(ChargeState::Voided, now, 0);
        Ok(StateChange { reply: self.cancel_reply(&voided), record: Some(Record::Charge(voided)) })
    }

    fn bar(&self, key: &str, now: Timestamp, records_max: usize) -> ChangeResult<CancelReply> {
        let reply = CancelReply { key: key.to_owned(), state: ChargeState::Voided, charge: None };
        if self.barred.contains_key(key) {
            return Ok(StateChange { record: None, reply });
        }
        if !is_key(key) {
            return Err(RequestError::Invalid("key: 1 to 200 letters, digits and _ - . : are allowed".to_owned()));
        }
        if self.record_count() >= records_max {
            return Err(RequestError::Full);
        }
        Ok(StateChange { record: Some(Record::Barred { key: key.to_owned(), at: now }), reply })
    }

    fn cancel_reply(&self, entry: &ChargeEntry) -> CancelReply {
        CancelReply { key: entry.key.clone(), state: entry.state, charge: Some(self.reply_for_charge(entry)) }
    }
}
