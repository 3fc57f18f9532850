//! Derives the health of the database from the outcome of its statements: a breaker for writes and one for reads report to the capability table.
//!
//! | breaker of writes | breaker of reads | health |
//! |---|---|---|
//! | closed | closed | up |
//! | open | closed | replica only |
//! | any | open | down |
//!
//! Never: a wait for a store whose breaker is open (P9), a failure counted for a statement that the server has answered with an error.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use voelgoed_resilience::{Breaker, BreakerLimit, BreakerState, Capabilities, Dependency, DependencyHealth};

use super::{DbError, DbResult};

/// Opens when three of the last five calls failed; a probe may pass after a second.
const LIMIT: BreakerLimit =
    BreakerLimit { window: 5, failures_percent: 60, open_for: Duration::from_secs(1), probes: 1 };

/// Whose health the outcome of a call shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// A writing transaction: on the primary.
    Writes,
    /// A read from any server.
    Reads,
    /// A read from a primary that has replicas: success shows that reads work, failure shows that the primary is unavailable.
    PrimaryReads,
}

/// The two breakers of a database.
pub(super) struct ServerHealth {
    writes: Breaker,
    reads: Breaker,
    report: Arc<HealthReport>,
}

/// The state of both breakers, and where it is reported.
#[derive(Default)]
struct HealthReport {
    no_writes: AtomicBool,
    no_reads: AtomicBool,
    capabilities: OnceLock<Capabilities>,
}

impl HealthReport {
    fn report(&self) {
        let Some(capabilities) = self.capabilities.get() else { return };
        let health = match (self.no_writes.load(Ordering::Acquire), self.no_reads.load(Ordering::Acquire)) {
            (false, false) => DependencyHealth::Up,
            (true, false) => DependencyHealth::ReplicaOnly,
            (_, true) => DependencyHealth::Down,
        };
        capabilities.report(Dependency::Cold, health);
    }

    fn listener(self: &Arc<Self>, cell: fn(&Self) -> &AtomicBool) -> impl Fn(BreakerState) + Send + Sync + 'static {
        let report = Arc::clone(self);
        move |state| {
            // A half-open breaker has not succeeded yet.
            if state != BreakerState::HalfOpen {
                cell(&report).store(state == BreakerState::Open, Ordering::Release);
                report.report();
            }
        }
    }
}

impl Default for ServerHealth {
    fn default() -> Self {
        let report = Arc::new(HealthReport::default());
        let writes = Breaker::new("cold_writes", LIMIT).on_change(report.listener(|report| &report.no_writes));
        let reads = Breaker::new("cold_reads", LIMIT).on_change(report.listener(|report| &report.no_reads));
        Self { writes, reads, report }
    }
}

impl ServerHealth {
    pub(super) fn report_health_to(&self, capabilities: Capabilities) {
        let _first = self.report.capabilities.set(capabilities);
        self.report.report();
    }

    /// Lets a call begin unless a breaker of its endpoint is open.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] where one is.
    pub(super) fn check(&self, endpoint: Endpoint) -> DbResult<()> {
        let breakers: &[&Breaker] = match endpoint {
            Endpoint::Writes => &[&self.writes],
            Endpoint::Reads => &[&self.reads],
            Endpoint::PrimaryReads => &[&self.reads, &self.writes],
        };
        breakers.iter().try_for_each(|breaker| breaker.check()).map_err(|open| DbError::Unavailable(open.to_string()))
    }

    /// True while the breaker of writes is open.
    pub(super) fn is_read_only(&self) -> bool {
        self.report.no_writes.load(Ordering::Acquire)
    }

    /// Records the outcome of a commit or a read, or the failure of any step.
    pub(super) fn record<T>(&self, endpoint: Endpoint, ended: &DbResult<T>) {
        let (on_success, on_failure) = match endpoint {
            Endpoint::Writes => (&self.writes, &self.writes),
            Endpoint::Reads => (&self.reads, &self.reads),
            // A successful read does not show that writes work; a silent primary does not show that its replicas are silent.
            Endpoint::PrimaryReads => (&self.reads, &self.writes),
        };
        match ended {
            Ok(_) => on_success.record(false),
            Err(DbError::Unavailable(_) | DbError::Ambiguous(_)) => on_failure.record(true),
            // The server is healthy: it has answered.
            Err(DbError::UniqueViolation(_) | DbError::Serialization(_) | DbError::Internal(_)) => {}
        }
    }

    /// [`Self::record`] for a step whose success does not show that the endpoint works.
    pub(super) fn record_failure<T>(&self, endpoint: Endpoint, ended: &DbResult<T>) {
        if ended.is_err() {
            self.record(endpoint, ended);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unavailable() -> DbResult<()> {
        Err(DbError::Unavailable("on request".to_owned()))
    }

    fn record(server: &ServerHealth, endpoint: Endpoint, ended: &DbResult<()>, times: usize) {
        (0..times).for_each(|_| server.record(endpoint, ended));
    }

    #[tokio::test(start_paused = true)]
    async fn failed_writes_mean_replica_only_and_failed_reads_mean_down_until_one_succeeds() {
        let (server, capabilities) = (ServerHealth::default(), Capabilities::new());
        server.report_health_to(capabilities.clone());
        let health = || capabilities.health(Dependency::Cold);
        record(&server, Endpoint::Reads, &Ok(()), 5);
        record(&server, Endpoint::Writes, &Ok(()), 5);
        record(&server, Endpoint::Writes, &unavailable(), 2);
        assert_eq!(health(), DependencyHealth::Up, "not yet");
        record(&server, Endpoint::Writes, &unavailable(), 1);
        assert_eq!(health(), DependencyHealth::ReplicaOnly);
        assert!(matches!(server.check(Endpoint::Writes), Err(DbError::Unavailable(_))), "refused without a wait");
        assert!(server.check(Endpoint::Reads).is_ok());
        record(&server, Endpoint::Reads, &unavailable(), 3);
        assert_eq!(health(), DependencyHealth::Down);
        tokio::time::advance(LIMIT.open_for).await;
        assert!(server.check(Endpoint::Reads).is_ok() && server.check(Endpoint::Writes).is_ok(), "a probe passes");
        assert_eq!(health(), DependencyHealth::Down, "a probe has not succeeded yet");
        record(&server, Endpoint::Reads, &Ok(()), 1);
        assert_eq!(health(), DependencyHealth::ReplicaOnly);
        record(&server, Endpoint::Writes, &Ok(()), 1);
        assert_eq!(health(), DependencyHealth::Up);
    }

    #[tokio::test(start_paused = true)]
    async fn silent_primary_leaves_reads_from_replicas_open() {
        let (server, capabilities) = (ServerHealth::default(), Capabilities::new());
        server.report_health_to(capabilities.clone());
        let health = || capabilities.health(Dependency::Cold);
        record(&server, Endpoint::PrimaryReads, &unavailable(), 5);
        assert_eq!(health(), DependencyHealth::ReplicaOnly);
        assert!(server.is_read_only());
        assert!(matches!(server.check(Endpoint::PrimaryReads), Err(DbError::Unavailable(_))), "refused without a wait");
        assert!(server.check(Endpoint::Reads).is_ok(), "a replica may be read");
        record(&server, Endpoint::Reads, &unavailable(), 5);
        assert_eq!(health(), DependencyHealth::Down, "replicas fail too");
        tokio::time::advance(LIMIT.open_for).await;
        assert!(server.check(Endpoint::PrimaryReads).is_ok(), "a probe passes");
        record(&server, Endpoint::PrimaryReads, &Ok(()), 1);
        assert_eq!(health(), DependencyHealth::ReplicaOnly, "reads work, writes are not known to");
        record(&server, Endpoint::Writes, &Ok(()), 1);
        assert_eq!(health(), DependencyHealth::Up);
    }

    #[test]
    fn errors_that_the_server_answers_with_open_no_breaker() {
        let server = ServerHealth::default();
        for error in
            [DbError::UniqueViolation(String::new()), DbError::Serialization(String::new()), DbError::internal("")]
        {
            record(&server, Endpoint::Writes, &Err(error), 100);
        }
        assert!(server.check(Endpoint::Writes).is_ok());
    }
}
