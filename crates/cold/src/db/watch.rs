//! How the database is, learned from what is asked of it anyway: a breaker for what writes and one for what reads, and the health they make.
//!
//! Never: a wait for a store that is known to be away (whoever asks is told at once, P9), a verdict from an answer that is merely "no". Deadlines are
//! the engine's (statement, lock, connection) and the request's, bulkheads are its pools; this is the third layer, once for every statement.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use voelgoed_resilience::{Breaker, BreakerLimit, BreakerState, Capabilities, Dependency, Health};

use super::{Error, Result};

/// Three of the last five failed: the store is away, which is looked at again after a second.
const LIMIT: BreakerLimit =
    BreakerLimit { window: 5, failures_percent: 60, open_for: Duration::from_secs(1), probes: 1 };

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// It writes.
    Writes,
    /// It only reads.
    Reads,
    /// It reads from a primary that has replicas: what it meets there says how the primary is, and that something can be read at all.
    PrimaryReads,
}

/// The two breakers of a database.
pub(super) struct Watch {
    writes: Breaker,
    reads: Breaker,
    verdict: Arc<Verdict>,
}

/// What the breakers say, together.
#[derive(Default)]
struct Verdict {
    no_writes: AtomicBool,
    no_reads: AtomicBool,
    capabilities: OnceLock<Capabilities>,
}

impl Verdict {
    fn report(&self) {
        let Some(capabilities) = self.capabilities.get() else { return };
        let health = match (self.no_writes.load(Ordering::Acquire), self.no_reads.load(Ordering::Acquire)) {
            (false, false) => Health::Up,
            (true, false) => Health::ReplicaOnly,
            (_, true) => Health::Down,
        };
        capabilities.report(Dependency::Cold, health);
    }

    fn listener(self: &Arc<Self>, cell: fn(&Self) -> &AtomicBool) -> impl Fn(BreakerState) + Send + Sync + 'static {
        let verdict = Arc::clone(self);
        move |state| {
            // Half open is not known to be better.
            if state != BreakerState::HalfOpen {
                cell(&verdict).store(state == BreakerState::Open, Ordering::Release);
                verdict.report();
            }
        }
    }
}

impl Default for Watch {
    fn default() -> Self {
        let verdict = Arc::new(Verdict::default());
        let writes = Breaker::new("cold_writes", LIMIT).on_change(verdict.listener(|verdict| &verdict.no_writes));
        let reads = Breaker::new("cold_reads", LIMIT).on_change(verdict.listener(|verdict| &verdict.no_reads));
        Self { writes, reads, verdict }
    }
}

impl Watch {
    /// Tells the capability table from now on.
    pub(super) fn report_to(&self, capabilities: Capabilities) {
        // Told once, where the process is put together.
        let _first = self.verdict.capabilities.set(capabilities);
        self.verdict.report();
    }

    /// Lets a call begin.
    ///
    /// # Errors
    /// [`Error::Away`] where the store is known to be.
    pub(super) fn let_in(&self, side: Side) -> Result<()> {
        let breakers: &[&Breaker] = match side {
            Side::Writes => &[&self.writes],
            Side::Reads => &[&self.reads],
            Side::PrimaryReads => &[&self.reads, &self.writes],
        };
        breakers.iter().try_for_each(|breaker| breaker.check()).map_err(|open| Error::Away(open.to_string()))
    }

    /// True while nothing can be written, as far as is known.
    pub(super) fn is_read_only(&self) -> bool {
        self.verdict.no_writes.load(Ordering::Acquire)
    }

    /// Looks at how something ended that shows how the store is: a commit, a read, or a failure of anything.
    pub(super) fn saw<T>(&self, side: Side, ended: &Result<T>) {
        let (answered, silent) = match side {
            Side::Writes => (&self.writes, &self.writes),
            Side::Reads => (&self.reads, &self.reads),
            // That it can be read does not say that it can be written; that it is silent does not say that its replicas are.
            Side::PrimaryReads => (&self.reads, &self.writes),
        };
        match ended {
            Ok(_) => answered.note(false),
            Err(Error::Away(_) | Error::Ambiguous(_)) => silent.note(true),
            // It answered; what it said is for the caller.
            Err(Error::Unique(_) | Error::Serialization(_) | Error::Internal(_)) => {}
        }
    }

    /// [`Self::saw`] for a step on the way, whose success says nothing yet.
    pub(super) fn saw_step<T>(&self, side: Side, ended: &Result<T>) {
        if ended.is_err() {
            self.saw(side, ended);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn away() -> Result<()> {
        Err(Error::Away("on request".to_owned()))
    }

    fn seen(watch: &Watch, side: Side, ended: &Result<()>, times: usize) {
        (0..times).for_each(|_| watch.saw(side, ended));
    }

    #[tokio::test(start_paused = true)]
    async fn writes_that_fail_are_a_limit_and_reads_that_fail_are_the_end_until_one_succeeds() {
        let (watch, capabilities) = (Watch::default(), Capabilities::new());
        watch.report_to(capabilities.clone());
        let health = || capabilities.health(Dependency::Cold);
        seen(&watch, Side::Reads, &Ok(()), 5);
        seen(&watch, Side::Writes, &Ok(()), 5);
        seen(&watch, Side::Writes, &away(), 2);
        assert_eq!(health(), Health::Up, "not yet");
        seen(&watch, Side::Writes, &away(), 1);
        assert_eq!(health(), Health::ReplicaOnly);
        assert!(matches!(watch.let_in(Side::Writes), Err(Error::Away(_))), "told at once");
        assert!(watch.let_in(Side::Reads).is_ok());
        seen(&watch, Side::Reads, &away(), 3);
        assert_eq!(health(), Health::Down);
        tokio::time::advance(LIMIT.open_for).await;
        assert!(watch.let_in(Side::Reads).is_ok() && watch.let_in(Side::Writes).is_ok(), "looked at again");
        assert_eq!(health(), Health::Down, "not known to be better");
        seen(&watch, Side::Reads, &Ok(()), 1);
        assert_eq!(health(), Health::ReplicaOnly);
        seen(&watch, Side::Writes, &Ok(()), 1);
        assert_eq!(health(), Health::Up);
    }

    #[tokio::test(start_paused = true)]
    async fn a_primary_that_is_silent_is_no_word_on_its_replicas() {
        let (watch, capabilities) = (Watch::default(), Capabilities::new());
        watch.report_to(capabilities.clone());
        let health = || capabilities.health(Dependency::Cold);
        seen(&watch, Side::PrimaryReads, &away(), 5);
        assert_eq!(health(), Health::ReplicaOnly);
        assert!(watch.is_read_only());
        assert!(matches!(watch.let_in(Side::PrimaryReads), Err(Error::Away(_))), "told at once");
        assert!(watch.let_in(Side::Reads).is_ok(), "a replica is asked");
        seen(&watch, Side::Reads, &away(), 5);
        assert_eq!(health(), Health::Down, "nor does a replica answer");
        tokio::time::advance(LIMIT.open_for).await;
        assert!(watch.let_in(Side::PrimaryReads).is_ok(), "looked at again");
        seen(&watch, Side::PrimaryReads, &Ok(()), 1);
        assert_eq!(health(), Health::ReplicaOnly, "it is read, and not known to be written");
        seen(&watch, Side::Writes, &Ok(()), 1);
        assert_eq!(health(), Health::Up);
    }

    #[test]
    fn a_no_is_an_answer() {
        let watch = Watch::default();
        for error in [Error::Unique(String::new()), Error::Serialization(String::new()), Error::internal("")] {
            seen(&watch, Side::Writes, &Err(error), 100);
        }
        assert!(watch.let_in(Side::Writes).is_ok());
    }
}
