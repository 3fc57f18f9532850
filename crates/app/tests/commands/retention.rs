//! Prunes rows by their class and its period only, in commits of limited size.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use voelgoed_app::accounts::slice::{AUDIT_LINES, ENDED_LOGINS};
use voelgoed_app::analytics::slice::STEP_COUNTS;
use voelgoed_app::environment::Environment as _;
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::idempotency::{ANSWER_RETENTION, Created, Idempotent};
use voelgoed_app::retention::class::{RetentionClass, RetentionPeriods};
use voelgoed_app::retention::ports::RetentionStore;
use voelgoed_app::retention::{ANSWERS, DELIVERED_EVENTS, ROWS_PER_COMMIT_MAX, RetentionPruner};
use voelgoed_app::scanning::slice::RECEIVED_SCANS;
use voelgoed_domain::time::Timestamp;
use voelgoed_testkit::platform::TestPlatform;

use crate::support::{created, key};

const MICRO: Duration = Duration::from_micros(1);
const DAY: Duration = Duration::from_secs(86_400);
const PERIODS: RetentionPeriods = RetentionPeriods {
    outbox_events: DAY,
    scans: DAY.saturating_mul(2),
    audit_lines: DAY.saturating_mul(3),
    counts: DAY.saturating_mul(4),
};

/// Every class in the order of its deletion, with its period.
const CLASSES: [(RetentionClass, Duration); 6] = [
    (DELIVERED_EVENTS, DAY),
    (ANSWERS, ANSWER_RETENTION),
    (ENDED_LOGINS, Duration::ZERO),
    (AUDIT_LINES, DAY.saturating_mul(3)),
    (STEP_COUNTS, DAY.saturating_mul(4)),
    (RECEIVED_SCANS, DAY.saturating_mul(2)),
];

fn pruner_of(shop: &TestPlatform, store: Arc<dyn RetentionStore>) -> RetentionPruner {
    let classes = shop.slices.retention_classes();
    RetentionPruner { environment: shop.environment.clone(), store, periods: PERIODS, classes }
}

/// Has a number of old rows of every class, and records the deletes.
struct OldRows {
    left: Mutex<[u64; CLASSES.len()]>,
    deletes: Mutex<Vec<(RetentionClass, Timestamp, u32)>>,
    fails_at: Option<RetentionClass>,
}

impl OldRows {
    fn of_each(rows: u64, fails_at: Option<RetentionClass>) -> Arc<Self> {
        let left = Mutex::new([rows; CLASSES.len()]);
        Arc::new(Self { left, deletes: Mutex::default(), fails_at })
    }

    fn deleted_classes(&self) -> Vec<RetentionClass> {
        self.deletes.lock().unwrap().iter().map(|(class, ..)| *class).collect()
    }
}

#[async_trait]
impl RetentionStore for OldRows {
    fn classes(&self) -> Vec<RetentionClass> {
        CLASSES.iter().map(|(class, _)| *class).collect()
    }

    async fn delete(&self, class: RetentionClass, before: Timestamp, limit: u32) -> StoreResult<u64> {
        self.deletes.lock().unwrap().push((class, before, limit));
        if self.fails_at == Some(class) {
            return Err(Fault::unavailable(Dependency::Cold, "no connection"));
        }
        let at = CLASSES.iter().position(|(it, _)| *it == class).unwrap();
        let mut left = self.left.lock().unwrap();
        let deleted = left[at].min(u64::from(limit));
        left[at] -= deleted;
        Ok(deleted)
    }
}

#[tokio::test]
async fn every_class_is_pruned_by_its_own_period() {
    let shop = TestPlatform::open().await;
    let store = OldRows::of_each(1, None);
    let pruner = pruner_of(&shop, store.clone());
    pruner.prune(|| false).await.unwrap();
    let now = shop.environment.now();
    let expected = CLASSES.map(|(class, period)| (class, now.minus(period), ROWS_PER_COMMIT_MAX));
    assert_eq!(*store.deletes.lock().unwrap(), expected);
}

#[tokio::test]
async fn class_is_pruned_until_a_commit_is_not_full() {
    let most = u64::from(ROWS_PER_COMMIT_MAX);
    for (rows, commits) in [(0, 1), (most - 1, 1), (most, 2), (2 * most + 1, 3)] {
        let shop = TestPlatform::open().await;
        let store = OldRows::of_each(rows, None);
        let pruner = pruner_of(&shop, store.clone());
        pruner.prune(|| false).await.unwrap();
        let expected: Vec<_> = CLASSES.iter().flat_map(|(class, _)| vec![*class; commits]).collect();
        assert_eq!(store.deleted_classes(), expected, "{rows}");
        assert_eq!(*store.left.lock().unwrap(), [0; CLASSES.len()]);
    }
}

#[tokio::test]
async fn pruning_ends_where_the_process_stops_or_the_store_fails() {
    let shop = TestPlatform::open().await;
    let store = OldRows::of_each(u64::MAX, None);
    let pruner = pruner_of(&shop, store.clone());
    pruner.prune(|| store.deleted_classes().len() >= 3).await.unwrap();
    assert_eq!(store.deleted_classes(), [DELIVERED_EVENTS; 3]);
    let store = OldRows::of_each(1, Some(ENDED_LOGINS));
    let pruner = pruner_of(&shop, store.clone());
    assert!(pruner.prune(|| false).await.is_err());
    assert_eq!(store.deleted_classes(), [DELIVERED_EVENTS, ANSWERS, ENDED_LOGINS]);
}

#[tokio::test]
async fn stored_answer_is_pruned_after_its_period_and_the_venue_stays() {
    let shop = TestPlatform::open().await;
    let venue = async || {
        let idempotent = Idempotent { key: key("venue", 1), render: &|_| Bytes::from_static(b"a venue") };
        shop.slices.catalog.create_venue(shop.scope.organization, "Hall", "", Some(idempotent)).await
    };
    created(venue().await);
    let pruner = pruner_of(&shop, shop.cold.clone());
    shop.environment.advance(ANSWER_RETENTION - MICRO);
    pruner.prune(|| false).await.unwrap();
    assert!(matches!(venue().await.unwrap(), Created::Replayed(_)), "younger than its period");
    shop.environment.advance(MICRO * 2);
    pruner.prune(|| false).await.unwrap();
    created(venue().await);
    let venues = shop.slices.catalog.store.venues(shop.scope.organization, Default::default()).await.unwrap().items;
    assert_eq!(venues.iter().filter(|venue| venue.name == "Hall").count(), 2);
}

#[tokio::test]
async fn class_of_every_slice_has_its_own_name_and_a_statement() {
    let shop = TestPlatform::open().await;
    let mut names = Vec::new();
    for class in shop.slices.retention_classes() {
        assert!(!names.contains(&class.name), "{}", class.name);
        shop.cold.delete(class, shop.environment.now(), 1).await.unwrap();
        names.push(class.name);
    }
    let mut deletable: Vec<_> = shop.cold.classes().iter().map(|class| class.name).collect();
    deletable.sort_unstable();
    names.sort_unstable();
    assert_eq!(names, deletable, "no statement deletes rows of a class that no slice declares");
    // Dashboards select by these names.
    assert_eq!(names, ["answers", "audit_lines", "counts", "facts", "logins", "scans"]);
}
