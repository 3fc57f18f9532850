//! Draws from a seed what is broken, when, and for how long, before anything starts, so that a seed determines the schedule.
//!
//! To add a kind: a variant of [`InjectionKind`], its line in [`InjectionKind::ALL`], its arm in `inject.rs`.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;

/// Nodes of the platform.
pub const NODES: usize = 2;
/// Load before each injection.
const PAUSE_MILLIS: Range<u64> = 300..1_500;
/// The duration of an outage.
const OUTAGE_MILLIS: Range<u64> = 200..2_500;
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InjectionKind {
    /// Kills a node (SIGKILL) and starts it again.
    KillNode(usize),
    /// Pauses a node (SIGSTOP) and continues it.
    FreezeNode(usize),
    /// Kills Redis (SIGKILL) and starts it empty.
    KillRedis,
    /// Pauses Redis and continues it.
    FreezeRedis,
    /// Empties Redis while it runs.
    Flush,
    /// Restarts Redis from an old snapshot.
    OldCopy,
    /// Cuts every connection to Redis.
    CutRedis,
    /// Kills the Redis master (SIGKILL) and promotes its replica with the data that had reached it.
    FailoverRedis,
    /// Partitions a node from Redis.
    PartitionRedis(usize),
    /// Delays all traffic between a node and Redis.
    SlowRedis(usize),
    /// Kills Postgres (SIGKILL) and starts it again.
    KillPostgres,
    /// Pauses Postgres and continues it.
    FreezePostgres,
    /// Cuts every connection to Postgres.
    CutPostgres,
    /// Fills the disk of Postgres.
    FillDisk,
    /// Partitions a node from Postgres.
    PartitionPostgres(usize),
    /// Delays all traffic between a node and Postgres.
    SlowPostgres(usize),
    /// Kills the payment provider (SIGKILL) and starts it again.
    KillProvider,
    /// Pauses the payment provider and continues it.
    FreezeProvider,
}

impl InjectionKind {
    /// All kinds.
    const ALL: [Self; 24] = [
        Self::KillNode(0),
        Self::Flush,
        Self::KillPostgres,
        Self::FreezeRedis,
        Self::KillProvider,
        Self::KillRedis,
        Self::CutPostgres,
        Self::FreezeNode(0),
        Self::OldCopy,
        Self::FreezePostgres,
        Self::CutRedis,
        Self::KillNode(1),
        Self::FreezeNode(1),
        Self::FreezeProvider,
        Self::FailoverRedis,
        Self::PartitionRedis(0),
        Self::PartitionRedis(1),
        Self::SlowRedis(0),
        Self::SlowRedis(1),
        Self::FillDisk,
        Self::PartitionPostgres(0),
        Self::PartitionPostgres(1),
        Self::SlowPostgres(0),
        Self::SlowPostgres(1),
    ];
}

/// One entry of the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Injection {
    /// Load before the injection.
    pub pause: Duration,
    /// The injected fault.
    pub kind: InjectionKind,
    /// The duration, where the injection has one.
    pub outage: Duration,
    /// True where a snapshot of Redis is kept before, for [`InjectionKind::OldCopy`].
    pub keep_snapshot: bool,
}

impl fmt::Display for Injection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} for {} ms", self.kind, self.outage.as_millis())
    }
}

/// Draws rounds of all kinds whose name contains `only`, each in a random order, so that no kind is rare.
pub fn schedule(mut random: StdRng, injections: usize, only: &str) -> Vec<Injection> {
    let kinds: Vec<InjectionKind> =
        InjectionKind::ALL.into_iter().filter(|kind| format!("{kind:?}").contains(only)).collect();
    let mut drawn = Vec::with_capacity(injections);
    while drawn.len() < injections && !kinds.is_empty() {
        let mut round = kinds.clone();
        while !round.is_empty() && drawn.len() < injections {
            let kind = round.swap_remove(random.random_range(0..round.len()));
            drawn.push(Injection {
                pause: Duration::from_millis(random.random_range(PAUSE_MILLIS)),
                kind,
                outage: Duration::from_millis(random.random_range(OUTAGE_MILLIS)),
                keep_snapshot: random.random_ratio(1, 4),
            });
        }
    }
    drawn
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn seed_determines_the_schedule_and_each_round_has_every_kind() {
        let schedule_of = |seed| schedule(StdRng::seed_from_u64(seed), 300, "");
        assert_eq!(schedule_of(7), schedule_of(7));
        assert_ne!(schedule_of(7), schedule_of(8));
        assert_eq!(schedule_of(7)[..20], schedule(StdRng::seed_from_u64(7), 20, ""));
        for kind in InjectionKind::ALL {
            assert!(
                schedule_of(7)[..InjectionKind::ALL.len()].iter().any(|injection| injection.kind == kind),
                "{kind:?}"
            );
        }
    }
}
