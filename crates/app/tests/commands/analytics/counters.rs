//! Counts each step of a sale once on its node, and keeps the counts for the next round while warm refuses them (P8).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt as _;
use uuid::Uuid;
use voelgoed_app::analytics::ports::{CountStream, StepCountEntry, StepCounts};
use voelgoed_app::analytics::sale_step::SaleStep;
use voelgoed_app::environment::{Environment as _, new_id};
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::time::Timestamp;

use voelgoed_testkit::platform::TestPlatform;

#[tokio::test]
async fn repeated_hold_is_counted_once() {
    let shop = TestPlatform::open().await;
    let session = new_id(&*shop.environment);
    let first = shop.try_hold_seat(0, session, Some("once")).await.unwrap();
    assert_eq!(shop.try_hold_seat(0, session, Some("once")).await.unwrap(), first);
    shop.try_hold_seat(1, session, Some("another")).await.unwrap();
    shop.try_hold_seat(2, session, None).await.unwrap();
    shop.try_hold_seat(2, session, None).await.unwrap_err();
    shop.slices.analytics.append_counts().await;
    shop.slices.analytics.collect_counts(shop.environment.uuid()).await.unwrap();
    shop.environment.advance(Duration::from_secs(60));
    let minutes = shop.slices.analytics.funnel(shop.scope, None, None).await.unwrap();
    let figures: Vec<_> = minutes.iter().map(|minute| (minute.held, minute.refused)).collect();
    assert_eq!(figures, [(3, 1)]);
}

#[tokio::test]
async fn interrupted_append_keeps_the_counts_that_were_not_sent() {
    let mut shop = TestPlatform::open().await;
    let stream = Arc::new(FaultyStream::default());
    Arc::make_mut(&mut shop.slices.analytics).stream = stream.clone();
    for _ in 0..5 {
        let scope = EventScope { event: new_id(&*shop.environment), ..shop.scope };
        shop.slices.analytics.count(scope, SaleStep::Viewed);
    }
    stream.hangs_at.store(3, Ordering::Relaxed);
    assert!(shop.slices.analytics.append_counts().now_or_never().is_none(), "the third is not answered");
    assert_eq!(stream.taken.lock().unwrap().len(), 2);
    // The third may have been taken, so it is not sent again.
    assert_eq!(shop.slices.analytics.append_counts().await, 2);
    assert_eq!(stream.taken.lock().unwrap().len(), 4);
    assert_eq!(shop.slices.analytics.append_counts().await, 0);
}

#[tokio::test]
async fn refused_counts_are_appended_in_the_next_round() {
    let mut shop = TestPlatform::open().await;
    let stream = Arc::new(FaultyStream::default());
    Arc::make_mut(&mut shop.slices.analytics).stream = stream.clone();
    let scope = shop.scope;
    shop.slices.analytics.count(scope, SaleStep::Viewed);
    stream.refuses_at.store(1, Ordering::Relaxed);
    assert_eq!(shop.slices.analytics.append_counts().await, 0);
    shop.slices.analytics.count(scope, SaleStep::Viewed);
    assert_eq!(shop.slices.analytics.append_counts().await, 1);
    let taken = stream.taken.lock().unwrap();
    assert_eq!(taken.iter().map(|(_, counts)| counts.viewed).collect::<Vec<_>>(), [2]);
}

/// A stream that does not answer the append `hangs_at` and refuses the append `refuses_at`; appends are numbered from 1.
#[derive(Default)]
struct FaultyStream {
    appended: AtomicUsize,
    hangs_at: AtomicUsize,
    refuses_at: AtomicUsize,
    taken: Mutex<Vec<(EventScope, StepCounts)>>,
}

#[async_trait]
impl CountStream for FaultyStream {
    async fn append_counts(&self, scope: EventScope, _minute: Timestamp, counts: StepCounts) -> StoreResult<()> {
        let number = self.appended.fetch_add(1, Ordering::Relaxed) + 1;
        if number == self.hangs_at.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        if number == self.refuses_at.load(Ordering::Relaxed) {
            return Err(Fault::unavailable(Dependency::Warm, "no connection"));
        }
        self.taken.lock().unwrap().push((scope, counts));
        Ok(())
    }

    async fn take(&self, _: EventScope, _: Uuid, _: usize, _: Duration) -> StoreResult<Vec<StepCountEntry>> {
        Ok(vec![])
    }

    async fn events(&self) -> StoreResult<Vec<EventScope>> {
        Ok(vec![])
    }

    async fn finish(&self, _: EventScope, _: &[String]) -> StoreResult<u64> {
        Ok(0)
    }
}
