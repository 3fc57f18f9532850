//! The classes of work that have database connections of their own, so that one class cannot use up another's (P9).

/// Which connections a transaction uses. The embedded engine has one writer, whose queue is ordered by class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PoolClass {
    /// Scans: people wait at a gate.
    Gate,
    /// Orders and payments.
    Sale,
    /// Reads of orders and payments for buyers and gates: the connections of [`Self::Sale`], or a replica while the primary is unavailable.
    Display,
    /// Other reads and writes of organizers and of the shop.
    Desk,
    /// The outbox relay, jobs and reconcilers.
    Jobs,
    /// Lists and reports: a replica that is near enough, else the connections of [`Self::Desk`].
    Reports,
}

impl PoolClass {
    /// True where a replica may answer while the primary is unavailable, because no decision depends on the rows.
    pub(super) const fn may_read_from_replica(self) -> bool {
        matches!(self, Self::Display | Self::Desk | Self::Reports)
    }
}
