//! The log of an event's changes: a bounded ring without holes; a reader behind it starts anew from a snapshot.

use std::collections::VecDeque;

use super::values::InventoryChange;

/// The most steps that the log keeps.
pub const LOG_STEPS: usize = 4096;
/// The most place changes that the log keeps over all its steps, beside those of the newest step.
pub const LOG_CHANGES: usize = 65_536;

#[derive(Debug, Clone, Default)]
pub(super) struct Log {
    steps: VecDeque<InventoryChange>,
    changes: usize,
}

impl Log {
    pub(super) fn push(&mut self, change: InventoryChange) {
        self.changes += change.places.len();
        self.steps.push_back(change);
        while self.steps.len() > LOG_STEPS || (self.changes > LOG_CHANGES && self.steps.len() > 1) {
            if let Some(oldest) = self.steps.pop_front() {
                self.changes -= oldest.places.len();
            }
        }
    }

    /// The steps after `seq`, or nothing where one of them is no longer kept.
    pub(super) fn after(&self, seq: u64) -> Option<Vec<InventoryChange>> {
        let oldest = self.steps.front()?.position.seq;
        let skip = (seq + 1).checked_sub(oldest)?;
        Some(self.steps.iter().skip(usize::try_from(skip).ok()?).cloned().collect())
    }
}
