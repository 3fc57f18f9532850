//! Defines every limit and interval of the runner and the relay, with its reason (P9).
//!
//! Never: a limit written where it is used. To add one: a field with its default here.

use std::time::Duration;

use voelgoed_app::jobs::ports::Queue;

/// Limits and intervals of the [`Runner`](crate::Runner).
#[derive(Debug, Clone, Copy)]
pub struct RunnerSettings {
    /// Concurrent jobs of `payments`, which mostly wait for a provider.
    pub payment_workers: usize,
    /// Concurrent jobs of `upkeep`, which load our own stores.
    pub upkeep_workers: usize,
    /// Concurrent jobs of `notifications`.
    pub notification_workers: usize,
    /// The duration of a lease: the jobs of a dead runner wait this long.
    pub lease: Duration,
    /// Between two renewals of a lease; a third of the lease, so that two renewals may fail.
    pub renew_interval: Duration,
    /// Between two polls for jobs that another process wrote or that fell due.
    pub poll_interval: Duration,
    /// A run that takes longer counts as failed.
    pub run_timeout: Duration,
    /// How long a stopping runner waits for running jobs.
    pub drain_timeout: Duration,
    /// Attempts to write an outcome while the store is unavailable, before the lease is left to lapse.
    pub end_attempts_max: u32,
    /// Between two such attempts.
    pub end_retry_interval: Duration,
    /// Before a job that this program cannot read is tried again.
    pub unreadable_retry_interval: Duration,
    /// Between two reads of the gauges from the store.
    pub gauge_interval: Duration,
}

impl Default for RunnerSettings {
    fn default() -> Self {
        Self {
            payment_workers: 16,
            upkeep_workers: 4,
            notification_workers: 8,
            lease: Duration::from_secs(30),
            renew_interval: Duration::from_secs(10),
            poll_interval: Duration::from_millis(500),
            run_timeout: Duration::from_secs(300),
            drain_timeout: Duration::from_secs(10),
            end_attempts_max: 3,
            end_retry_interval: Duration::from_millis(250),
            unreadable_retry_interval: Duration::from_secs(60),
            gauge_interval: Duration::from_secs(5),
        }
    }
}

impl RunnerSettings {
    /// Concurrent jobs of a queue.
    #[must_use]
    pub const fn workers(&self, queue: Queue) -> usize {
        match queue {
            Queue::Payments => self.payment_workers,
            Queue::Upkeep => self.upkeep_workers,
            Queue::Notifications => self.notification_workers,
        }
    }
}

/// Limits and intervals of the [`Relay`](crate::Relay).
#[derive(Debug, Clone, Copy)]
pub struct RelaySettings {
    /// Limits rows in flight, and rows taken, marked or put back in one commit.
    pub batch_rows_max: u32,
    /// The duration of a lease: the rows of a dead relay wait this long.
    pub lease: Duration,
    /// Limits the time of one consumer for one row.
    pub consume_timeout: Duration,
    /// Between two polls for rows that another process wrote or whose backoff is over.
    pub poll_interval: Duration,
    /// The pause after a row's first failure; it doubles with each further one.
    pub backoff_first: Duration,
    /// Limits that pause: a warm tier that is available again gets the rows it missed within this time.
    pub backoff_max: Duration,
    /// How long a stopping relay waits for rows in flight.
    pub drain_timeout: Duration,
    /// Between two reads of the gauges from the store.
    pub gauge_interval: Duration,
}

impl Default for RelaySettings {
    fn default() -> Self {
        Self {
            batch_rows_max: 500,
            lease: Duration::from_secs(30),
            consume_timeout: Duration::from_secs(5),
            poll_interval: Duration::from_millis(250),
            backoff_first: Duration::from_millis(50),
            backoff_max: Duration::from_secs(5),
            drain_timeout: Duration::from_secs(5),
            gauge_interval: Duration::from_secs(5),
        }
    }
}
