//! Places orders from holds: a place that cold refuses is not charged, a charge is queued once, and a lost answer is replayed (P1, P2, P7).

use voelgoed_app::environment::Environment as _;
use voelgoed_app::error::CommandError;
use voelgoed_app::idempotency::Created;
use voelgoed_app::ticketing::ports::Block;
use voelgoed_app::token::TokenKind;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_resilience::{Dependency, DependencyHealth};

use voelgoed_testkit::platform::TestPlatform;

#[tokio::test]
async fn place_that_cold_gave_to_another_is_not_charged() {
    let shop = TestPlatform::open().await;
    let hold = shop.hold_seat(0).await;
    // Warm does not know the block: no relay runs here.
    let block = Block { id: shop.environment.uuid(), places: vec![PlaceNumber(0)], reason: "for the band".into() };
    shop.slices.ticketing.places.block(shop.scope.organization, shop.scope.event, block, None).await.unwrap().unwrap();
    let refused = shop.order(hold).await.err().unwrap();
    assert!(matches!(&refused, CommandError::Refused(refusal) if refusal.code == Code::PlaceTaken), "{refused:?}");
    let mut charges = shop.slices.payments.send_queue.take_receiver().unwrap();
    assert!(charges.try_recv().is_err(), "a charge was sent for an order that was not written");
}

#[tokio::test]
async fn charge_of_a_written_order_is_queued_once() {
    let shop = TestPlatform::open().await;
    let order = shop.order_seat(0).await;
    let mut charges = shop.slices.payments.send_queue.take_receiver().unwrap();
    assert_eq!(charges.try_recv().unwrap(), (shop.scope.organization, order.attempts[0].id));
    assert!(charges.try_recv().is_err());
}

#[tokio::test]
async fn token_opens_its_own_hold_only() {
    let shop = TestPlatform::open().await;
    let (own, other) = (shop.hold_seat(0).await, shop.hold_seat(1).await);
    let token = shop.slices.context.tokens.mint(TokenKind::Hold, shop.scope, own);
    assert_eq!(shop.slices.ticketing.scope_of_hold_token(own, &token).unwrap(), shop.scope);
    let refused = shop.slices.ticketing.scope_of_hold_token(other, &token).unwrap_err();
    assert!(matches!(&refused, CommandError::Refused(refusal) if refusal.code == Code::NotFound), "{refused:?}");
}

#[tokio::test]
async fn lost_answer_of_an_order_is_replayed_while_warm_is_down() {
    let shop = TestPlatform::open().await;
    let (taken, other) = (shop.hold_seat(0).await, shop.hold_seat(1).await);
    shop.order(taken).await.unwrap();
    let capabilities = &shop.slices.context.capabilities;
    capabilities.report(Dependency::Warm, DependencyHealth::Down);
    let again = shop.order(taken).await.unwrap();
    assert!(matches!(&again, Created::Replayed(answer) if &answer[..] == b"an order"), "{again:?}");
    let refused = shop.order(other).await.err().unwrap();
    assert!(matches!(&refused, CommandError::Refused(refusal) if refusal.code == Code::TryAgain), "{refused:?}");
    // While cold is down, the capability check refuses the repeat too.
    capabilities.report(Dependency::Cold, DependencyHealth::Down);
    let refused = shop.order(taken).await.err().unwrap();
    assert!(matches!(&refused, CommandError::Refused(refusal) if refusal.code == Code::TryAgain), "{refused:?}");
}
