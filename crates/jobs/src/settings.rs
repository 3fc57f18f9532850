//! Every limit and span of the runner and the relay, with its reason (P9).
//!
//! Never: a limit written where it is used. To add one: a field with its default here.

use std::time::Duration;

use voelgoed_app::jobs::ports::Queue;

/// Limits and spans of the [`Runner`](crate::Runner).
#[derive(Debug, Clone, Copy)]
pub struct RunnerSettings {
    /// Jobs of `payments` that run at once: they wait for a provider most of the time.
    pub payment_workers: usize,
    /// Jobs of `upkeep` that run at once: they burden our own stores.
    pub upkeep_workers: usize,
    /// Jobs of `notifications` that run at once.
    pub notification_workers: usize,
    /// How long a lease lasts: a dead runner's jobs wait this long.
    pub lease: Duration,
    /// How often a lease is renewed; a third of it, so that two renewals may fail.
    pub renew_every: Duration,
    /// How often a runner looks for work that another process wrote or whose time has come.
    pub poll_every: Duration,
    /// The longest run; then it counts as failed.
    pub run_limit: Duration,
    /// How long a stopping runner waits for what runs.
    pub drain: Duration,
    /// How often an answer is offered to a store that is away, before the lease is left to lapse.
    pub end_tries: u32,
    /// The pause between those.
    pub end_pause: Duration,
    /// Before a job that this program cannot read is tried again.
    pub unreadable_pause: Duration,
    /// How often the gauges are read from the store.
    pub gauge_every: Duration,
}

impl Default for RunnerSettings {
    fn default() -> Self {
        Self {
            payment_workers: 16,
            upkeep_workers: 4,
            notification_workers: 8,
            lease: Duration::from_secs(30),
            renew_every: Duration::from_secs(10),
            poll_every: Duration::from_millis(500),
            run_limit: Duration::from_secs(300),
            drain: Duration::from_secs(10),
            end_tries: 3,
            end_pause: Duration::from_millis(250),
            unreadable_pause: Duration::from_secs(60),
            gauge_every: Duration::from_secs(5),
        }
    }
}

impl RunnerSettings {
    /// Jobs of a queue that run at once.
    #[must_use]
    pub const fn workers(&self, queue: Queue) -> usize {
        match queue {
            Queue::Payments => self.payment_workers,
            Queue::Upkeep => self.upkeep_workers,
            Queue::Notifications => self.notification_workers,
        }
    }
}

/// Limits and spans of the [`Relay`](crate::Relay).
#[derive(Debug, Clone, Copy)]
pub struct RelaySettings {
    /// Rows taken, marked or put back in one commit, and rows in flight at once.
    pub batch: u32,
    /// How long taken rows are ours: a dead relay's rows wait this long.
    pub lease: Duration,
    /// The longest that one reader may take for one row.
    pub read_limit: Duration,
    /// How often the relay looks for rows that another process wrote or whose pause is over.
    pub poll_every: Duration,
    /// The pause after a row's first failure; it doubles with each further one.
    pub first_pause: Duration,
    /// The longest pause: a warm tier that is back gets what it missed within this time.
    pub longest_pause: Duration,
    /// How long a stopping relay waits for what is in flight.
    pub drain: Duration,
    /// How often the gauges are read from the store.
    pub gauge_every: Duration,
}

impl Default for RelaySettings {
    fn default() -> Self {
        Self {
            batch: 500,
            lease: Duration::from_secs(30),
            read_limit: Duration::from_secs(5),
            poll_every: Duration::from_millis(250),
            first_pause: Duration::from_millis(50),
            longest_pause: Duration::from_secs(5),
            drain: Duration::from_secs(5),
            gauge_every: Duration::from_secs(5),
        }
    }
}
