//! The count stream of one event in memory.

use std::collections::BTreeMap;

use voelgoed_app::analytics::ports::StepCounts;
use voelgoed_domain::time::Timestamp;

/// The count stream of one event.
#[derive(Default)]
pub(super) struct EventCounts {
    pub(super) entries: BTreeMap<u64, StoredCount>,
}

/// One entry of the stream.
pub(super) struct StoredCount {
    pub(super) minute: Timestamp,
    pub(super) counts: StepCounts,
    /// When a worker took the entry.
    pub(super) taken_at: Option<Timestamp>,
}
