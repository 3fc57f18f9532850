//! Answers the organizer's funnel for spans of up to a day.

use std::time::Duration;

use voelgoed_app::analytics::counters::minute_of;
use voelgoed_app::analytics::funnel::FUNNEL_SPAN_MAX;
use voelgoed_app::analytics::sale_step::SaleStep;
use voelgoed_app::environment::Environment as _;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::time::Timestamp;
use voelgoed_testkit::platform::TestPlatform;

use crate::support::refusal;

const MICRO: Duration = Duration::from_micros(1);
const MINUTE: Duration = Duration::from_secs(60);

/// Counts a view and writes it to cold.
async fn viewed(shop: &TestPlatform) {
    shop.slices.analytics.count(shop.scope, SaleStep::Viewed);
    shop.slices.analytics.append_counts().await;
    shop.slices.analytics.collect_counts(shop.environment.uuid()).await.unwrap();
}

async fn minutes(shop: &TestPlatform, from: Option<Timestamp>, to: Option<Timestamp>) -> Vec<(Timestamp, u64)> {
    let minutes = shop.slices.analytics.funnel(shop.scope, from, to).await.unwrap();
    minutes.iter().map(|minute| (minute.at, minute.viewed)).collect()
}

#[tokio::test]
async fn span_is_not_empty_and_at_most_a_day_in_whole_minutes() {
    let shop = TestPlatform::open().await;
    let now = shop.environment.now();
    assert_eq!(minute_of(now), now, "the clock starts at a whole minute");
    for (from, to, valid) in [
        (now.minus(FUNNEL_SPAN_MAX), now, true),
        (now.minus(FUNNEL_SPAN_MAX), now.plus(MINUTE - MICRO), true),
        (now.minus(FUNNEL_SPAN_MAX), now.plus(MINUTE), false),
        (now.minus(FUNNEL_SPAN_MAX + MICRO), now, false),
        (now, now.plus(MICRO), true),
        (now.plus(MICRO), now.plus(MICRO), true),
        (now, now, false),
        (now.plus(MINUTE), now, false),
    ] {
        let funnel = shop.slices.analytics.funnel(shop.scope, Some(from), Some(to)).await;
        match valid {
            true => drop(funnel.unwrap()),
            false => {
                let refused = refusal(funnel);
                let field = refused.evidence.field.as_deref();
                assert_eq!((refused.code, field), (Code::InvalidRequest, Some("from")), "{from} to {to}");
            }
        }
    }
}

#[tokio::test]
async fn funnel_without_a_span_is_that_of_the_last_day() {
    let shop = TestPlatform::open().await;
    let first = shop.environment.now();
    viewed(&shop).await;
    shop.environment.advance(FUNNEL_SPAN_MAX);
    assert_eq!(minutes(&shop, None, None).await, [(first, 1)]);
    shop.environment.advance(MINUTE);
    assert!(minutes(&shop, None, None).await.is_empty());
    let (from, to) = (Some(first), Some(first.plus(MINUTE)));
    assert_eq!(minutes(&shop, from, to).await, [(first, 1)], "an older span by its name");
}

#[tokio::test]
async fn minute_in_which_a_span_begins_is_part_of_it_and_its_end_is_not() {
    let shop = TestPlatform::open().await;
    let first = shop.environment.now();
    viewed(&shop).await;
    let second = shop.environment.advance(MINUTE);
    viewed(&shop).await;
    assert_eq!(minutes(&shop, Some(first.plus(MINUTE - MICRO)), Some(second)).await, [(first, 1)]);
    assert_eq!(minutes(&shop, Some(first), Some(second.plus(MICRO))).await, [(first, 1), (second, 1)]);
}

#[tokio::test]
async fn funnel_has_the_steps_that_cold_knows_by_itself() {
    let shop = TestPlatform::open().await;
    shop.order_seat(0).await;
    shop.paid_order(3).await;
    shop.environment.advance(MINUTE);
    let funnel = shop.slices.analytics.funnel(shop.scope, None, None).await.unwrap();
    assert_eq!(funnel.iter().map(|minute| (minute.ordered, minute.paid)).collect::<Vec<_>>(), [(2, 1)]);
}
