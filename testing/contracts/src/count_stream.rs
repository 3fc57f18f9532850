//! What `CountStream` promises: each entry to one worker, to another where that one does not finish, forgotten only when it was finished.

use std::collections::BTreeSet;
use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::analytics::ports::{CountStream, Counted, Counts, MOST_KEPT};
use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::time::Timestamp;

use crate::subject::Subject;

/// Every case, as a test; `$open` opens a subject.
#[macro_export]
macro_rules! count_stream_suite {
    ($open:expr) => {
        $crate::cases! { count_stream, $open;
            entries_come_in_order_and_once
            what_a_dead_worker_had_is_taken_over
            what_is_finished_never_comes_again
            events_and_tenants_are_apart
            many_workers_share_the_entries
            the_oldest_give_way_beyond_the_limit
        }
    };
}

/// No worker is taken for dead.
const NEVER: Duration = Duration::from_secs(3_600);
/// Every worker is.
const AT_ONCE: Duration = Duration::ZERO;

fn event<S>(subject: &Subject<S>) -> EventScope {
    let environment: &dyn Environment = &*subject.environment;
    EventScope { organization: fresh(environment), event: fresh(environment) }
}

fn counts(number: u32) -> Counts {
    Counts { viewed: number, held: number + 1, refused: number + 2 }
}

const fn minute(number: i64) -> Timestamp {
    Timestamp::from_micros(number * 60_000_000)
}

async fn append<S: CountStream>(subject: &Subject<S>, scope: EventScope, numbers: std::ops::Range<u32>) {
    for number in numbers {
        subject.store.append(scope, minute(number.into()), counts(number)).await.unwrap();
    }
}

fn viewed(entries: &[Counted]) -> Vec<u32> {
    entries.iter().map(|entry| entry.counts.viewed).collect()
}

fn ids(entries: &[Counted]) -> Vec<String> {
    entries.iter().map(|entry| entry.id.clone()).collect()
}

/// As they were appended.
pub async fn entries_come_in_order_and_once<S: CountStream>(subject: Subject<S>) {
    let (scope, worker) = (event(&subject), subject.environment.uuid());
    assert_eq!(subject.store.take(scope, worker, 10, NEVER).await.unwrap(), []);
    append(&subject, scope, 1..6).await;
    let first = subject.store.take(scope, worker, 2, NEVER).await.unwrap();
    let as_sent: Vec<_> = first.iter().map(|entry| (entry.minute, entry.counts)).collect();
    assert_eq!(as_sent, [(minute(1), counts(1)), (minute(2), counts(2))]);
    let rest = subject.store.take(scope, worker, 10, NEVER).await.unwrap();
    assert_eq!(viewed(&rest), [3, 4, 5]);
    assert_eq!(subject.store.take(scope, worker, 10, NEVER).await.unwrap(), []);
    let all: BTreeSet<_> = ids(&first).into_iter().chain(ids(&rest)).collect();
    assert_eq!(all.len(), 5, "each has a name of its own");
}

/// Its entries first, under the same names.
pub async fn what_a_dead_worker_had_is_taken_over<S: CountStream>(subject: Subject<S>) {
    let (scope, dead, heir) = (event(&subject), subject.environment.uuid(), subject.environment.uuid());
    append(&subject, scope, 1..4).await;
    let left = subject.store.take(scope, dead, 2, NEVER).await.unwrap();
    assert_eq!(viewed(&subject.store.take(scope, heir, 10, NEVER).await.unwrap()), [3], "not while it may live");
    append(&subject, scope, 4..5).await;
    let inherited = subject.store.take(scope, heir, 3, AT_ONCE).await.unwrap();
    assert_eq!(inherited[..2], left[..]);
    assert_eq!(viewed(&inherited), [1, 2, 3]);
    assert_eq!(viewed(&subject.store.take(scope, heir, 1, NEVER).await.unwrap()), [4]);
}

/// Also where it was taken over meanwhile; the number left is told.
pub async fn what_is_finished_never_comes_again<S: CountStream>(subject: Subject<S>) {
    let (scope, one, other) = (event(&subject), subject.environment.uuid(), subject.environment.uuid());
    append(&subject, scope, 1..4).await;
    let taken = subject.store.take(scope, one, 2, NEVER).await.unwrap();
    subject.store.take(scope, other, 1, AT_ONCE).await.unwrap();
    assert_eq!(subject.store.finish(scope, &ids(&taken)).await.unwrap(), 1);
    assert_eq!(subject.store.finish(scope, &ids(&taken)).await.unwrap(), 1, "repeated, it changes nothing");
    assert_eq!(viewed(&subject.store.take(scope, other, 10, AT_ONCE).await.unwrap()), [3]);
    let nobody = event(&subject);
    assert_eq!(subject.store.finish(nobody, &ids(&taken)).await.unwrap(), 0);
}

/// P7.
pub async fn events_and_tenants_are_apart<S: CountStream>(subject: Subject<S>) {
    let (scope, worker) = (event(&subject), subject.environment.uuid());
    let another = EventScope { event: fresh(&*subject.environment), ..scope };
    let foreign = EventScope { organization: fresh(&*subject.environment), ..scope };
    append(&subject, scope, 1..2).await;
    for other in [another, foreign] {
        assert_eq!(subject.store.take(other, worker, 10, AT_ONCE).await.unwrap(), []);
    }
}

/// Each entry to one of them.
pub async fn many_workers_share_the_entries<S: CountStream>(subject: Subject<S>) {
    let scope = event(&subject);
    append(&subject, scope, 0..200).await;
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (store, worker): (_, Uuid) = (subject.store.clone(), subject.environment.uuid());
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

/// To the last one.
pub async fn the_oldest_give_way_beyond_the_limit<S: CountStream>(subject: Subject<S>) {
    let (scope, worker) = (event(&subject), subject.environment.uuid());
    let most = u32::try_from(MOST_KEPT).unwrap();
    append(&subject, scope, 0..most + 2).await;
    let first = subject.store.take(scope, worker, 1, NEVER).await.unwrap();
    assert_eq!(viewed(&first), [2]);
    assert_eq!(subject.store.finish(scope, &ids(&first)).await.unwrap(), u64::from(most) - 1);
}
