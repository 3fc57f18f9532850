//! Contract tests of `CountStream`: each entry goes to one worker, to another one if that worker does not finish it, and is deleted only when finished.

use std::collections::BTreeSet;
use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::analytics::ports::{COUNTS_PER_STREAM_MAX, CountStream, StepCountEntry, StepCounts};
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::time::Timestamp;

use crate::sut::Sut;

/// Makes a test of each case; `$open` is an expression that opens a [`Sut`](crate::sut::Sut) when awaited.
#[macro_export]
macro_rules! count_stream_suite {
    ($open:expr) => {
        $crate::cases! { count_stream, $open;
            entries_are_taken_in_order_and_once
            entries_of_a_dead_worker_are_reclaimed
            finished_entries_are_never_taken_again
            events_and_organizations_are_separate
            concurrent_workers_take_each_entry_once
            oldest_entries_are_dropped_over_the_limit
        }
    };
}

/// Idle time after which a worker counts as dead: none does.
const NEVER: Duration = Duration::from_secs(3_600);
/// Idle time after which a worker counts as dead: every one does.
const IMMEDIATELY: Duration = Duration::ZERO;

fn new_scope<S>(sut: &Sut<S>) -> EventScope {
    let environment: &dyn Environment = &*sut.environment;
    EventScope { organization: new_id(environment), event: new_id(environment) }
}

fn counts(number: u32) -> StepCounts {
    StepCounts { viewed: number, held: number + 1, refused: number + 2 }
}

const fn minute(number: i64) -> Timestamp {
    Timestamp::from_micros(number * 60_000_000)
}

async fn append<S: CountStream>(sut: &Sut<S>, scope: EventScope, numbers: std::ops::Range<u32>) {
    for number in numbers {
        sut.store.append_counts(scope, minute(number.into()), counts(number)).await.unwrap();
    }
}

fn viewed(entries: &[StepCountEntry]) -> Vec<u32> {
    entries.iter().map(|entry| entry.counts.viewed).collect()
}

fn ids(entries: &[StepCountEntry]) -> Vec<String> {
    entries.iter().map(|entry| entry.id.clone()).collect()
}

/// Entries are taken in the order in which they were appended.
pub async fn entries_are_taken_in_order_and_once<S: CountStream>(sut: Sut<S>) {
    let (scope, worker) = (new_scope(&sut), sut.environment.uuid());
    assert_eq!(sut.store.take(scope, worker, 10, NEVER).await.unwrap(), []);
    append(&sut, scope, 1..6).await;
    let first = sut.store.take(scope, worker, 2, NEVER).await.unwrap();
    let taken: Vec<_> = first.iter().map(|entry| (entry.minute, entry.counts)).collect();
    assert_eq!(taken, [(minute(1), counts(1)), (minute(2), counts(2))]);
    let rest = sut.store.take(scope, worker, 10, NEVER).await.unwrap();
    assert_eq!(viewed(&rest), [3, 4, 5]);
    assert_eq!(sut.store.take(scope, worker, 10, NEVER).await.unwrap(), []);
    let all: BTreeSet<_> = ids(&first).into_iter().chain(ids(&rest)).collect();
    assert_eq!(all.len(), 5, "each has its own id");
}

/// The dead worker's entries come first, with the same ids.
pub async fn entries_of_a_dead_worker_are_reclaimed<S: CountStream>(sut: Sut<S>) {
    let (scope, dead, successor) = (new_scope(&sut), sut.environment.uuid(), sut.environment.uuid());
    append(&sut, scope, 1..4).await;
    let left = sut.store.take(scope, dead, 2, NEVER).await.unwrap();
    assert_eq!(
        viewed(&sut.store.take(scope, successor, 10, NEVER).await.unwrap()),
        [3],
        "a worker that may be alive keeps its entries"
    );
    append(&sut, scope, 4..5).await;
    let reclaimed = sut.store.take(scope, successor, 3, IMMEDIATELY).await.unwrap();
    assert_eq!(reclaimed[..2], left[..]);
    assert_eq!(viewed(&reclaimed), [1, 2, 3]);
    assert_eq!(viewed(&sut.store.take(scope, successor, 1, NEVER).await.unwrap()), [4]);
}

/// Also after another worker reclaimed them; `finish` returns the number of entries left.
pub async fn finished_entries_are_never_taken_again<S: CountStream>(sut: Sut<S>) {
    let (scope, one, other) = (new_scope(&sut), sut.environment.uuid(), sut.environment.uuid());
    append(&sut, scope, 1..4).await;
    let taken = sut.store.take(scope, one, 2, NEVER).await.unwrap();
    sut.store.take(scope, other, 1, IMMEDIATELY).await.unwrap();
    assert_eq!(sut.store.finish(scope, &ids(&taken)).await.unwrap(), 1);
    assert_eq!(sut.store.finish(scope, &ids(&taken)).await.unwrap(), 1, "a repeat changes nothing");
    assert_eq!(viewed(&sut.store.take(scope, other, 10, IMMEDIATELY).await.unwrap()), [3]);
    let unknown = new_scope(&sut);
    assert_eq!(sut.store.finish(unknown, &ids(&taken)).await.unwrap(), 0);
}

/// Entries of one event are not seen under another event or organization (P7).
pub async fn events_and_organizations_are_separate<S: CountStream>(sut: Sut<S>) {
    let (scope, worker) = (new_scope(&sut), sut.environment.uuid());
    let another = EventScope { event: new_id(&*sut.environment), ..scope };
    let foreign = EventScope { organization: new_id(&*sut.environment), ..scope };
    append(&sut, scope, 1..2).await;
    for other in [another, foreign] {
        assert_eq!(sut.store.take(other, worker, 10, IMMEDIATELY).await.unwrap(), []);
    }
}

/// Eight workers take two hundred entries.
pub async fn concurrent_workers_take_each_entry_once<S: CountStream>(sut: Sut<S>) {
    let scope = new_scope(&sut);
    append(&sut, scope, 0..200).await;
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (store, worker): (_, Uuid) = (sut.store.clone(), sut.environment.uuid());
        workers.spawn(async move {
            let mut taken = vec![];
            loop {
                let some = store.take(scope, worker, 7, NEVER).await.unwrap();
                if some.is_empty() {
                    return taken;
                }
                taken.extend(viewed(&some));
            }
        });
    }
    let mut all: Vec<u32> = workers.join_all().await.into_iter().flatten().collect();
    all.sort_unstable();
    assert_eq!(all, (0..200).collect::<Vec<_>>());
}

/// Two entries over the limit drop exactly the two oldest.
pub async fn oldest_entries_are_dropped_over_the_limit<S: CountStream>(sut: Sut<S>) {
    let (scope, worker) = (new_scope(&sut), sut.environment.uuid());
    let most = u32::try_from(COUNTS_PER_STREAM_MAX).unwrap();
    append(&sut, scope, 0..most + 2).await;
    let first = sut.store.take(scope, worker, 1, NEVER).await.unwrap();
    assert_eq!(viewed(&first), [2]);
    assert_eq!(sut.store.finish(scope, &ids(&first)).await.unwrap(), u64::from(most) - 1);
}
