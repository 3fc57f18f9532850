//! Releases holds: repeatable, also after their end, and never one that became an order.

use std::time::Duration;

use voelgoed_app::environment::new_id;
use voelgoed_app::token::TokenKind;
use voelgoed_domain::refusal::Code;
use voelgoed_testkit::platform::TestPlatform;

use crate::support::{created, hold, places, refusal, seat};

#[tokio::test]
async fn released_places_are_free_and_the_release_is_repeatable() {
    let shop = TestPlatform::open().await;
    let held = hold(&shop, vec![seat(&shop, 0)]).await.unwrap();
    for _ in 0..2 {
        shop.slices.ticketing.release_hold(shop.scope, held.id).await.unwrap();
    }
    let other = hold(&shop, vec![seat(&shop, 0)]).await.unwrap();
    shop.slices.ticketing.release_hold(shop.scope, held.id).await.unwrap();
    let still = shop.slices.ticketing.read_hold(shop.scope, other.id).await.unwrap();
    assert_eq!(places(&still), [0], "a repeat frees no place of the next buyer");
}

#[tokio::test]
async fn release_of_an_expired_or_unknown_hold_succeeds() {
    let shop = TestPlatform::open().await;
    let held = hold(&shop, vec![seat(&shop, 0)]).await.unwrap();
    shop.environment.advance(Duration::from_secs(600));
    shop.slices.ticketing.release_hold(shop.scope, held.id).await.unwrap();
    shop.slices.ticketing.release_hold(shop.scope, new_id(&*shop.environment)).await.unwrap();
}

#[tokio::test]
async fn release_of_an_ordered_hold_is_refused_with_the_order_and_its_token() {
    let shop = TestPlatform::open().await;
    let held = shop.hold_seat(0).await;
    let order = created(shop.order(held).await).order.id;
    shop.relay().await;
    let refused = refusal(shop.slices.ticketing.release_hold(shop.scope, held).await);
    assert_eq!((refused.code, refused.evidence.order), (Code::AlreadyOrdered, Some(order)));
    let token = shop.slices.context.tokens.mint(TokenKind::Order, shop.scope, order);
    assert_eq!(refused.evidence.token, Some(token));
}
