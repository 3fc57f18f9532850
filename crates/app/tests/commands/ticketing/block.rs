//! Blocks places for the organizer and unblocks them: all or nothing, within the limits of one call.

use bytes::Bytes;
use voelgoed_app::error::CommandResult;
use voelgoed_app::idempotency::{Created, Idempotent};
use voelgoed_app::ticketing::block_places::{PLACES_PER_BLOCK_MAX, REASON_CHARS_MAX};
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::place::PlaceState;
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_testkit::platform::TestPlatform;

use crate::support::{code, created, field_area, key, place_state, refusal};

fn numbers(places: impl IntoIterator<Item = u32>) -> Vec<PlaceNumber> {
    places.into_iter().map(PlaceNumber).collect()
}

async fn block(shop: &TestPlatform, places: Vec<PlaceNumber>) -> CommandResult<Created<()>> {
    shop.slices.ticketing.block(shop.scope, places, "for the band".into(), None).await
}

#[tokio::test]
async fn one_call_blocks_up_to_5000_places() {
    let shop = TestPlatform::builder().areas(vec![field_area(1, 6_000)]).open().await;
    let most = PLACES_PER_BLOCK_MAX as u32;
    for wrong in [numbers([]), numbers(0..most + 1), numbers(vec![0; PLACES_PER_BLOCK_MAX + 1])] {
        let refused = refusal(block(&shop, wrong.clone()).await);
        assert_eq!((refused.code, refused.evidence.field.as_deref()), (Code::InvalidRequest, Some("places")));
        assert_eq!(code(shop.slices.ticketing.unblock(shop.scope, wrong).await), Code::InvalidRequest);
    }
    created(block(&shop, numbers(0..most)).await);
    assert_eq!(place_state(&shop, most - 1).await, PlaceState::Blocked);
    assert_eq!(place_state(&shop, most).await, PlaceState::Free);
    let freed = shop.slices.ticketing.unblock(shop.scope, numbers(0..most)).await.unwrap();
    assert_eq!(freed.len(), PLACES_PER_BLOCK_MAX);
}

#[tokio::test]
async fn only_places_of_the_event_are_blocked() {
    let shop = TestPlatform::open().await;
    let refused = refusal(block(&shop, numbers([0, 14])).await);
    assert_eq!((refused.code, refused.evidence.field.as_deref()), (Code::InvalidRequest, Some("places")));
    assert!(refused.detail.contains("0 to 13"), "{refused}");
    assert_eq!(code(shop.slices.ticketing.unblock(shop.scope, numbers([14])).await), Code::InvalidRequest);
    created(block(&shop, numbers([13, 0, 13])).await);
    assert_eq!(place_state(&shop, 13).await, PlaceState::Blocked);
}

#[tokio::test]
async fn block_with_one_taken_place_blocks_none() {
    let shop = TestPlatform::open().await;
    created(block(&shop, numbers([1])).await);
    let refused = refusal(block(&shop, numbers([0, 1, 2])).await);
    assert_eq!((refused.code, refused.evidence.places), (Code::PlaceTaken, numbers([1])));
    assert_eq!(place_state(&shop, 0).await, PlaceState::Free);
}

#[tokio::test]
async fn unblock_returns_the_places_that_were_blocked() {
    let shop = TestPlatform::open().await;
    created(block(&shop, numbers([1, 2])).await);
    let freed = shop.slices.ticketing.unblock(shop.scope, numbers([3, 2, 1, 0, 2])).await.unwrap();
    assert_eq!(freed, numbers([1, 2]));
    assert!(shop.slices.ticketing.unblock(shop.scope, numbers([1])).await.unwrap().is_empty());
    assert_eq!(place_state(&shop, 1).await, PlaceState::Free);
}

#[tokio::test]
async fn reason_of_a_block_has_up_to_200_characters() {
    let shop = TestPlatform::open().await;
    let with_reason = |reason: String, place| shop.slices.ticketing.block(shop.scope, numbers([place]), reason, None);
    created(with_reason("é".repeat(REASON_CHARS_MAX), 0).await);
    let refused = refusal(with_reason("é".repeat(REASON_CHARS_MAX + 1), 1).await);
    assert_eq!((refused.code, refused.evidence.field.as_deref()), (Code::InvalidRequest, Some("reason")));
}

#[tokio::test]
async fn repeated_block_is_replayed_although_its_places_are_blocked() {
    let shop = TestPlatform::open().await;
    let keyed = async |places: &[u32], digest| {
        let idempotent = Idempotent { key: key("block", digest), render: &|()| Bytes::from_static(b"blocked") };
        let places = numbers(places.iter().copied());
        shop.slices.ticketing.block(shop.scope, places, "band".into(), Some(idempotent)).await
    };
    created(keyed(&[1], 1).await);
    let again = keyed(&[1], 1).await.unwrap();
    assert!(matches!(&again, Created::Replayed(answer) if &answer[..] == b"blocked"), "{again:?}");
    assert_eq!(code(keyed(&[2], 2).await), Code::IdempotencyMismatch);
    assert_eq!(place_state(&shop, 2).await, PlaceState::Free);
}
