//! A bounded log of an event's inventory changes without gaps; a reader that falls behind restarts from a snapshot.

use std::collections::VecDeque;

use super::snapshot::InventoryChange;

/// How many steps the log keeps.
pub const LOG_STEPS_MAX: usize = 4096;
/// How many place changes the log keeps over all steps; the newest step is kept even if it is larger.
pub const LOG_CHANGES_MAX: usize = 65_536;

#[derive(Debug, Clone, Default)]
pub(super) struct ChangeLog {
    steps: VecDeque<InventoryChange>,
    changes: usize,
}

impl ChangeLog {
    pub(super) fn push(&mut self, change: InventoryChange) {
        self.changes += change.places.len();
        self.steps.push_back(change);
        while self.steps.len() > LOG_STEPS_MAX || (self.changes > LOG_CHANGES_MAX && self.steps.len() > 1) {
            if let Some(oldest) = self.steps.pop_front() {
                self.changes -= oldest.places.len();
            }
        }
    }

    /// The steps after `seq`; none where the log has dropped one of them.
    pub(super) fn after(&self, seq: u64) -> Option<Vec<InventoryChange>> {
        let oldest = self.steps.front()?.position.seq;
        let skip = (seq + 1).checked_sub(oldest)?;
        Some(self.steps.iter().skip(usize::try_from(skip).ok()?).cloned().collect())
    }
}
