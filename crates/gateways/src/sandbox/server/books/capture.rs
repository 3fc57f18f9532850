//! Capturing what was pending, when its time has come.

use voelgoed_domain::time::Timestamp;

use super::{Books, Decision};
use crate::sandbox::protocol::ChargeState;
use crate::sandbox::server::method::behaviour;
use crate::sandbox::server::record::Record;

impl Books {
    /// When the next charge is to be captured.
    pub fn next_capture(&self) -> Option<Timestamp> {
        self.captures.first().map(|(at, _)| *at)
    }

    /// Captures the charge that is due longest; the answer says whether there was one.
    pub fn capture_due(&self, now: Timestamp) -> Decision<bool> {
        let due = self.captures.first().filter(|(at, _)| *at <= now);
        let Some(entry) = due.and_then(|(_, key)| self.charges.get(key)) else {
            return Decision { record: None, answer: false };
        };
        let callbacks = behaviour(&entry.method).map_or(1, |behaviour| behaviour.callbacks);
        let captured = entry.clone().settled(ChargeState::Captured, now, callbacks);
        Decision { record: Some(Record::Charge(captured)), answer: true }
    }
}
