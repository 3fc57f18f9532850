//! Checks the states of an entry, and that concurrent loads, removals and invalidations never bring an old value back.

use std::convert::Infallible;
use std::sync::atomic::AtomicUsize;

use futures::FutureExt;
use futures::future::{join_all, pending};
use tokio::sync::Notify;

use super::*;
use crate::manual_clock::ManualClock;

const LIMITS: CacheLimits = CacheLimits {
    name: "test",
    entries_max: 100,
    fresh_for: Duration::from_secs(5),
    usable_for: Duration::from_secs(60),
};

fn cache(clock: &Arc<ManualClock>) -> Cache<u32, u32> {
    Cache::new(Arc::clone(clock) as Arc<dyn Environment>, LIMITS)
}

async fn load(value: u32) -> Result<u32, &'static str> {
    Ok(value)
}

/// Loads 1 once the gate opens.
async fn load_behind(gate: &Notify) -> Result<u32, Infallible> {
    gate.notified().await;
    Ok(1)
}

#[tokio::test]
async fn value_is_fresh_then_stale_then_dropped() {
    let clock = Arc::new(ManualClock::default());
    let cache = cache(&clock);
    assert_eq!(cache.get(&1, load(10)).await, Ok(10));
    clock.advance(4);
    assert_eq!(cache.get(&1, load(11)).await, Ok(10), "fresh");
    clock.advance(1);
    assert_eq!(cache.get(&1, async { Err::<u32, _>("unavailable") }).await, Ok(10), "stale, and the load fails");
    assert_eq!(cache.get(&1, load(12)).await, Ok(12), "the next caller refreshes it");
    clock.advance(60);
    assert_eq!(cache.get(&1, async { Err::<u32, _>("unavailable") }).await, Err("unavailable"), "too old to be served");
    assert_eq!(cache.get(&1, load(13)).await, Ok(13));
}

#[tokio::test]
async fn missing_value_is_loaded_once_for_all_waiting_callers() {
    let cache = cache(&Arc::default());
    let loads = AtomicUsize::new(0);
    let all = join_all((0..50).map(|_| {
        cache.get(&1, async {
            loads.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(7)
        })
    }))
    .await;
    assert!(all.iter().all(|result| *result == Ok(7)));
    assert_eq!(loads.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn stale_value_is_served_while_one_caller_refreshes_even_if_that_caller_is_cancelled() {
    let clock = Arc::new(ManualClock::default());
    let cache = cache(&clock);
    cache.get(&1, load(1)).await.unwrap();
    clock.advance(6);
    let mut refreshing = Box::pin(cache.get(&1, pending::<Result<u32, Infallible>>()));
    assert!(futures::poll!(&mut refreshing).is_pending());
    assert_eq!(cache.get(&1, load(2)).await, Ok(1), "served without waiting");
    drop(refreshing);
    assert_eq!(cache.get(&1, load(2)).await, Ok(2), "the next caller refreshes");
}

#[tokio::test]
async fn value_loaded_before_the_removal_of_its_key_is_not_stored() {
    let cache = cache(&Arc::default());
    let gate = Notify::new();
    let mut loading = Box::pin(cache.get(&1, load_behind(&gate)));
    assert!(futures::poll!(&mut loading).is_pending());
    cache.remove(&1);
    gate.notify_one();
    assert_eq!(loading.await, Ok(1));
    assert_eq!(cache.get(&1, load(2)).await, Ok(2));
}

#[tokio::test]
async fn caller_after_a_removal_does_not_join_a_load_from_before() {
    let cache = cache(&Arc::default());
    let mut loading = Box::pin(cache.get(&1, pending::<Result<u32, Infallible>>()));
    assert!(futures::poll!(&mut loading).is_pending());
    cache.remove(&1);
    assert_eq!(cache.get(&1, load(2)).now_or_never(), Some(Ok(2)), "does not wait for the old load");
    assert_eq!(cache.get(&1, load(3)).await, Ok(2));
    drop(loading);
    assert_eq!(cache.get(&1, load(4)).await, Ok(2), "the cancelled load removes nothing");
}

#[tokio::test]
async fn value_rejected_by_the_filter_is_returned_but_not_stored() {
    let cache = Cache::with_filter(Arc::<ManualClock>::default(), LIMITS, |value: &u32| *value < 10);
    assert_eq!(cache.get(&1, load(10)).await, Ok(10));
    assert_eq!(cache.get(&1, load(11)).await, Ok(11));
    cache.put(&1, &5);
    assert_eq!(cache.get(&1, load(6)).await, Ok(5));
    cache.put(&1, &12);
    assert_eq!(cache.get(&1, load(6)).await, Ok(6), "the rejected value removed the entry");
}

#[tokio::test]
async fn removed_key_does_not_disturb_loads_of_other_partitions() {
    let cache = cache(&Arc::default());
    let partition = |key: &u32| cache.generations.partition(key);
    let other = (2..).find(|key| partition(key) != partition(&1)).unwrap();
    let gate = Notify::new();
    let mut loading = Box::pin(cache.get(&other, load_behind(&gate)));
    assert!(futures::poll!(&mut loading).is_pending());
    cache.remove(&1);
    gate.notify_one();
    assert_eq!(loading.await, Ok(1));
    assert_eq!(cache.get(&other, load(2)).await, Ok(1), "it was stored");
}

#[tokio::test]
async fn invalidated_value_is_reloaded_and_served_with_its_age_while_the_load_fails() {
    let clock = Arc::new(ManualClock::default());
    let cache = cache(&clock);
    cache.get(&1, load(10)).await.unwrap();
    cache.get(&2, load(20)).await.unwrap();
    cache.invalidate(|key, _| *key == 1);
    assert_eq!(cache.get(&2, load(21)).await, Ok(20), "other keys are not invalidated");
    for _ in 0..3 {
        assert_eq!(cache.get(&1, async { Err::<u32, _>("unavailable") }).await, Ok(10));
    }
    assert_eq!(cache.read_at(&1), Some(Timestamp::from_micros(0)), "its age is that of the load");
    clock.advance(30);
    assert_eq!(cache.get(&1, async { Err::<u32, _>("unavailable") }).await, Ok(10));
    assert_eq!(cache.get(&1, load(11)).await, Ok(11), "reloaded once the load succeeds");
    assert_eq!(cache.get(&1, load(12)).await, Ok(11), "and fresh from then on");
    cache.invalidate(|_, _| true);
    clock.advance(60);
    assert_eq!(
        cache.get(&1, async { Err::<u32, _>("unavailable") }).await,
        Err("unavailable"),
        "not past its usable age"
    );
}

#[tokio::test]
async fn callers_of_an_invalidated_value_share_one_load() {
    let cache = cache(&Arc::default());
    cache.get(&1, load(1)).await.unwrap();
    let loads = AtomicUsize::new(0);
    for (loaded, expected) in [(Err("unavailable"), 1), (Ok(2), 2)] {
        cache.invalidate(|_, _| true);
        loads.store(0, Ordering::Relaxed);
        let all = join_all((0..50).map(|_| {
            cache.get(&1, async {
                loads.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                loaded
            })
        }));
        assert!(all.await.iter().all(|found| *found == Ok(expected)));
        assert_eq!(loads.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test]
async fn replaced_value_is_not_overwritten_by_a_load_from_before() {
    let cache = cache(&Arc::default());
    cache.get(&1, load(1)).await.unwrap();
    cache.invalidate(|_, _| true);
    let gate = Notify::new();
    let mut loading = Box::pin(cache.get(&1, load_behind(&gate)));
    assert!(futures::poll!(&mut loading).is_pending());
    cache.replace(|key, _| *key == 1, &0);
    gate.notify_one();
    assert_eq!(loading.await, Ok(1), "the load serves its own caller");
    assert_eq!(cache.get(&1, load(9)).await, Ok(0));
}

#[tokio::test]
async fn entries_never_exceed_the_limit() {
    let cache = cache(&Arc::default());
    for key in 0..1000 {
        cache.get(&key, load(key)).await.unwrap();
    }
    assert!(cache.entries.len() <= 100);
}
