//! What nodes count of a sale: each thing once, and nothing given up that can be kept (P8).

use std::time::Duration;

use voelgoed_app::analytics::collect::collect;
use voelgoed_app::analytics::counters::hand_on;
use voelgoed_app::analytics::funnel::funnel;
use voelgoed_app::environment::{Environment as _, fresh};

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
