//! What is broken, when, and for how long: drawn from a seed before anything starts, so that a seed is a schedule.
//!
//! To add a kind: a variant of [`Kind`], its line in [`Kind::ALL`], its arm in `strike`.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;

/// Nodes of the platform.
pub const NODES: usize = 2;
/// Quiet before each injection, in milliseconds: people are at work then.
const BETWEEN: Range<u64> = 300..1_500;
/// How long something is away, in milliseconds.
const AWAY: Range<u64> = 200..2_500;

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// kill -9 of a node, and its start.
    KillNode(usize),
    /// A node stands still (SIGSTOP) and goes on.
    FreezeNode(usize),
    /// kill -9 of Redis; it starts empty.
    KillRedis,
    /// Redis stands still and goes on.
    FreezeRedis,
    /// Redis forgets everything, in full run.
    Flush,
    /// Redis starts from a copy that was made earlier.
    OldCopy,
    /// Every connection to Redis is cut.
    CutRedis,
    /// kill -9 of Redis; its replica is promoted, with what had reached it.
    FailoverRedis,
    /// Nothing passes between a node and Redis.
    PartRedis(usize),
    /// Everything between a node and Redis is late.
    SlowRedis(usize),
    /// kill -9 of Postgres, and its start.
    KillPostgres,
    /// Postgres stands still and goes on.
    FreezePostgres,
    /// Every connection to Postgres is cut.
    CutPostgres,
    /// The disk of Postgres is full.
    FillDisk,
    /// Nothing passes between a node and Postgres.
    PartPostgres(usize),
    /// Everything between a node and Postgres is late.
    SlowPostgres(usize),
    /// kill -9 of the payment provider, and its start.
    KillProvider,
    /// The payment provider stands still and goes on.
    FreezeProvider,
}

impl Kind {
    /// Every kind.
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
        Self::PartRedis(0),
        Self::PartRedis(1),
        Self::SlowRedis(0),
        Self::SlowRedis(1),
        Self::FillDisk,
        Self::PartPostgres(0),
        Self::PartPostgres(1),
        Self::SlowPostgres(0),
        Self::SlowPostgres(1),
    ];
}

/// One entry of the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Injection {
    /// Quiet before it.
    pub after: Duration,
    /// What is broken.
    pub kind: Kind,
    /// For how long, where it is not over at once.
    pub away: Duration,
    /// True: a copy of Redis is kept before, for [`Kind::OldCopy`].
    pub copy: bool,
}

impl fmt::Display for Injection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} for {} ms", self.kind, self.away.as_millis())
    }
}

/// The schedule: rounds of every kind whose name contains `only`, in a drawn order, so that none is rare.
pub fn schedule(mut dice: StdRng, injections: usize, only: &str) -> Vec<Injection> {
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| format!("{kind:?}").contains(only)).collect();
    let mut drawn = Vec::with_capacity(injections);
    while drawn.len() < injections && !kinds.is_empty() {
        let mut round = kinds.clone();
        while !round.is_empty() && drawn.len() < injections {
            let kind = round.swap_remove(dice.random_range(0..round.len()));
            drawn.push(Injection {
                after: Duration::from_millis(dice.random_range(BETWEEN)),
                kind,
                away: Duration::from_millis(dice.random_range(AWAY)),
                copy: dice.random_ratio(1, 4),
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
    fn a_seed_is_a_schedule_and_each_round_has_every_kind() {
        let of = |seed| schedule(StdRng::seed_from_u64(seed), 300, "");
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
        assert_eq!(of(7)[..20], schedule(StdRng::seed_from_u64(7), 20, ""));
        for kind in Kind::ALL {
            assert!(of(7)[..Kind::ALL.len()].iter().any(|injection| injection.kind == kind), "{kind:?}");
        }
    }
}
