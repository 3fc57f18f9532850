//! The kinds of work that workers do in events, and what a node remembers of their lists.

use dashmap::DashMap;
use voelgoed_app::ticketing::ports::EventScope;

/// The kinds of work, each with its own list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Activity {
    /// Holds that will expire.
    Holds,
    /// Offline scans that cold has not recorded.
    Scans,
    /// Counts that cold has not recorded.
    Counts,
}

impl Activity {
    pub(super) const ALL: &'static [Self] = &[Self::Holds, Self::Scans, Self::Counts];

    /// The name in the key of the list.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Scans => "scans",
            Self::Counts => "counts",
        }
    }
}

/// The entries of the lists that this node knows; all times in seconds.
#[derive(Default)]
pub(super) struct ActiveEvents {
    /// When this node listed an event.
    pub(super) listed_at: DashMap<(Activity, EventScope), u64>,
    /// The list time at which an event had no work left; a newer list time means new work.
    pub(super) done_at: DashMap<(Activity, EventScope), u64>,
    /// The list times of the last read.
    pub(super) last_read: DashMap<(Activity, EventScope), u64>,
}
