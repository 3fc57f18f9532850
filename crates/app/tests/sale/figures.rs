//! What nodes count of a sale: each thing once, and nothing given up that can be kept (P8).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt as _;
use uuid::Uuid;
use voelgoed_app::analytics::collect::collect;
use voelgoed_app::analytics::counters::hand_on;
use voelgoed_app::analytics::funnel::funnel;
use voelgoed_app::analytics::ports::{CountStream, Counted, Counts, Step};
use voelgoed_app::environment::{Environment as _, fresh};
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::time::Timestamp;

use crate::bench::Bench;

#[tokio::test]
async fn a_repeated_hold_is_counted_once() {
    let bench = Bench::open().await;
    let session = fresh(&*bench.environment);
    let first = bench.asked(0, session, Some("once")).await.unwrap();
    assert_eq!(bench.asked(0, session, Some("once")).await.unwrap(), first);
    bench.asked(1, session, Some("another")).await.unwrap();
    bench.asked(2, session, None).await.unwrap();
    bench.asked(2, session, None).await.unwrap_err();
    hand_on(&bench.platform).await;
    collect(&bench.platform, bench.environment.uuid()).await.unwrap();
    bench.environment.advance(Duration::from_secs(60));
    let minutes = funnel(&bench.platform, bench.scope, None, None).await.unwrap();
    let figures: Vec<_> = minutes.iter().map(|minute| (minute.held, minute.refused)).collect();
    assert_eq!(figures, [(3, 1)]);
}

#[tokio::test]
async fn whoever_is_cut_off_keeps_what_was_not_on_its_way() {
    let mut bench = Bench::open().await;
    let stream = Arc::new(Obstinate::default());
    Arc::get_mut(&mut bench.platform).unwrap().count_stream = stream.clone();
    for _ in 0..5 {
        let scope = EventScope { event: fresh(&*bench.environment), ..bench.scope };
        bench.platform.counters.count(&*bench.environment, scope, Step::Viewed);
    }
    stream.hangs_at.store(3, Ordering::Relaxed);
    assert!(hand_on(&bench.platform).now_or_never().is_none(), "the third is not answered");
    assert_eq!(stream.taken.lock().unwrap().len(), 2);
    // The third may have been taken, so it is not sent again.
    assert_eq!(hand_on(&bench.platform).await, 2);
    assert_eq!(stream.taken.lock().unwrap().len(), 4);
    assert_eq!(hand_on(&bench.platform).await, 0);
}

#[tokio::test]
async fn what_is_not_taken_waits_for_the_next_round() {
    let mut bench = Bench::open().await;
    let stream = Arc::new(Obstinate::default());
    Arc::get_mut(&mut bench.platform).unwrap().count_stream = stream.clone();
    let scope = bench.scope;
    bench.platform.counters.count(&*bench.environment, scope, Step::Viewed);
    stream.refuses_at.store(1, Ordering::Relaxed);
    assert_eq!(hand_on(&bench.platform).await, 0);
    bench.platform.counters.count(&*bench.environment, scope, Step::Viewed);
    assert_eq!(hand_on(&bench.platform).await, 1);
    let taken = stream.taken.lock().unwrap();
    assert_eq!(taken.iter().map(|(_, counts)| counts.viewed).collect::<Vec<_>>(), [2]);
}

/// A stream that does not answer one append, or is away at one; numbered from 1, none where it is 0.
#[derive(Default)]
struct Obstinate {
    appended: AtomicUsize,
    hangs_at: AtomicUsize,
    refuses_at: AtomicUsize,
    taken: Mutex<Vec<(EventScope, Counts)>>,
}

#[async_trait]
impl CountStream for Obstinate {
    async fn append(&self, scope: EventScope, _minute: Timestamp, counts: Counts) -> StoreResult<()> {
        let number = self.appended.fetch_add(1, Ordering::Relaxed) + 1;
        if number == self.hangs_at.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        if number == self.refuses_at.load(Ordering::Relaxed) {
            return Err(Fault::away(Dependency::Warm, "it is away"));
        }
        self.taken.lock().unwrap().push((scope, counts));
        Ok(())
    }

    async fn take(&self, _: EventScope, _: Uuid, _: usize, _: Duration) -> StoreResult<Vec<Counted>> {
        Ok(vec![])
    }

    async fn events(&self) -> StoreResult<Vec<EventScope>> {
        Ok(vec![])
    }

    async fn finish(&self, _: EventScope, _: &[String]) -> StoreResult<u64> {
        Ok(0)
    }
}
