//! Collects counts from warm's streams: every entry once, of every event, however many wait.

use std::time::Duration;

use voelgoed_app::analytics::collect_counts::RECLAIM_AFTER;
use voelgoed_app::analytics::sale_step::SaleStep;
use voelgoed_app::environment::{Environment as _, new_id};
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_testkit::platform::TestPlatform;

/// Entries that a worker takes at a time.
const ENTRIES_PER_TAKE_MAX: usize = 500;

/// Appends so many entries of one view each.
async fn append(shop: &TestPlatform, scope: EventScope, entries: usize) {
    for _ in 0..entries {
        shop.slices.analytics.count(scope, SaleStep::Viewed);
        assert_eq!(shop.slices.analytics.append_counts().await, 1);
    }
}

async fn viewed(shop: &TestPlatform, scope: EventScope) -> u64 {
    let to = shop.environment.now().plus(Duration::from_secs(60));
    let funnel = shop.slices.analytics.funnel(scope, Some(shop.environment.now()), Some(to)).await.unwrap();
    funnel.iter().map(|minute| minute.viewed).sum()
}

#[tokio::test]
async fn one_round_collects_all_entries_of_every_event_once() {
    for entries in [1, ENTRIES_PER_TAKE_MAX, 2 * ENTRIES_PER_TAKE_MAX + 1] {
        let shop = TestPlatform::open().await;
        let other = EventScope { event: new_id(&*shop.environment), ..shop.scope };
        append(&shop, shop.scope, entries).await;
        append(&shop, other, 2).await;
        let worker = shop.environment.uuid();
        assert_eq!(shop.slices.analytics.collect_counts(worker).await.unwrap(), entries + 2);
        assert_eq!(shop.slices.analytics.collect_counts(worker).await.unwrap(), 0);
        assert_eq!((viewed(&shop, shop.scope).await, viewed(&shop, other).await), (entries as u64, 2));
    }
}

#[tokio::test]
async fn entry_of_a_worker_that_died_is_collected_by_another_after_the_reclaim_time() {
    let shop = TestPlatform::open().await;
    append(&shop, shop.scope, 1).await;
    let (dead, other) = (shop.environment.uuid(), shop.environment.uuid());
    let taken = shop.slices.analytics.stream.take(shop.scope, dead, 10, RECLAIM_AFTER).await.unwrap();
    assert_eq!(taken.len(), 1);
    shop.environment.advance(RECLAIM_AFTER - Duration::from_micros(1));
    assert_eq!(shop.slices.analytics.collect_counts(other).await.unwrap(), 0);
    shop.environment.advance(Duration::from_micros(1));
    assert_eq!(shop.slices.analytics.collect_counts(other).await.unwrap(), 1);
}

#[tokio::test]
async fn entry_that_cold_has_already_is_not_counted_twice() {
    let shop = TestPlatform::open().await;
    append(&shop, shop.scope, 1).await;
    let analytics = &shop.slices.analytics;
    let taken = analytics.stream.take(shop.scope, shop.environment.uuid(), 10, RECLAIM_AFTER).await.unwrap();
    analytics.store.add_counts(shop.scope, &taken).await.unwrap();
    shop.environment.advance(RECLAIM_AFTER);
    assert_eq!(analytics.collect_counts(shop.environment.uuid()).await.unwrap(), 1);
    let from = taken[0].minute;
    let funnel = analytics.funnel(shop.scope, Some(from), Some(from.plus(Duration::from_secs(60)))).await.unwrap();
    assert_eq!(funnel.iter().map(|minute| minute.viewed).sum::<u64>(), 1);
}

#[tokio::test]
async fn counts_of_more_minutes_than_a_node_keeps_are_dropped() {
    /// Pairs of event and minute that a node keeps.
    const COUNTED_MINUTES_MAX: usize = 10_000;
    let shop = TestPlatform::open().await;
    let analytics = &shop.slices.analytics;
    let scopes: Vec<_> =
        (0..=COUNTED_MINUTES_MAX).map(|_| EventScope { event: new_id(&*shop.environment), ..shop.scope }).collect();
    for scope in scopes.iter().chain(&scopes[..1]) {
        analytics.count(*scope, SaleStep::Held);
    }
    assert_eq!(analytics.append_counts().await, COUNTED_MINUTES_MAX);
    let worker = shop.environment.uuid();
    let counted = async |scope| {
        let taken = analytics.stream.take(scope, worker, 10, RECLAIM_AFTER).await.unwrap();
        taken.iter().map(|entry| entry.counts.held).sum::<u32>()
    };
    assert_eq!(counted(scopes[0]).await, 2, "a minute that is kept is counted on");
    assert_eq!(counted(scopes[COUNTED_MINUTES_MAX - 1]).await, 1);
    assert_eq!(counted(scopes[COUNTED_MINUTES_MAX]).await, 0);
}
