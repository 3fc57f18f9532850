//! Captures pending charges that are due.

use voelgoed_domain::time::Timestamp;

use super::{ProviderState, StateChange};
use crate::payment_methods::behaviour_of;
use crate::protocol::ChargeState;
use crate::record::Record;

impl ProviderState {
    /// When the next charge falls due.
    pub fn next_capture(&self) -> Option<Timestamp> {
        self.captures.first().map(|(at, _)| *at)
    }

    /// Captures the charge that has been due longest; the reply is false where none is due.
    pub fn capture_due(&self, now: Timestamp) -> StateChange<bool> {
        let due = self.captures.first().filter(|(at, _)| *at <= now);
        let Some(entry) = due.and_then(|(_, key)| self.charges.get(key)) else {
            return StateChange { record: None, reply: false };
        };
        let callbacks = behaviour_of(&entry.method).map_or(1, |behaviour| behaviour.callbacks);
        let captured = entry.clone().settled(ChargeState::Captured, now, callbacks);
        StateChange { record: Some(Record::Charge(captured)), reply: true }
    }
}
