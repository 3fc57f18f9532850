//! From a hold to an order: what cold refuses costs nobody anything (P1, P2, P7).

use voelgoed_app::environment::Environment as _;
use voelgoed_app::error::Error;
use voelgoed_app::idempotency::Created;
use voelgoed_app::ticketing::hold::of_token;
use voelgoed_app::ticketing::ports::Block;
use voelgoed_app::token::TokenKind;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::place::PlaceNumber;
use voelgoed_resilience::{Dependency, Health};

use crate::bench::Bench;

#[tokio::test]
async fn nothing_is_charged_for_a_place_that_cold_gave_to_another() {
    let bench = Bench::open().await;
    let hold = bench.held(0).await;
    // Warm has not heard of it: no relay runs here.
    let block = Block { id: bench.environment.uuid(), places: vec![PlaceNumber(0)], reason: "for the band".into() };
    bench.platform.places.block(bench.scope.organization, bench.scope.event, block, None).await.unwrap().unwrap();
    let refused = bench.order(hold).await.err().unwrap();
    assert!(matches!(&refused, Error::Refused(refusal) if refusal.code == Code::PlaceTaken), "{refused:?}");
    let mut charges = bench.platform.dispatch.take_receiver().unwrap();
    assert!(charges.try_recv().is_err(), "a charge was set off for an order that was never written");
}

#[tokio::test]
async fn the_charge_of_a_written_order_is_set_off_once() {
    let bench = Bench::open().await;
    let order = bench.ordered(0).await;
    let mut charges = bench.platform.dispatch.take_receiver().unwrap();
    assert_eq!(charges.try_recv().unwrap(), (bench.scope.organization, order.attempts[0].id));
    assert!(charges.try_recv().is_err());
}

#[tokio::test]
async fn a_token_opens_its_own_hold_only() {
    let bench = Bench::open().await;
    let (own, other) = (bench.held(0).await, bench.held(1).await);
    let token = bench.platform.tokens.mint(TokenKind::Hold, bench.scope, own);
    assert_eq!(of_token(&bench.platform, own, &token).unwrap(), bench.scope);
    let refused = of_token(&bench.platform, other, &token).unwrap_err();
    assert!(matches!(&refused, Error::Refused(refusal) if refusal.code == Code::NotFound), "{refused:?}");
}

#[tokio::test]
async fn whoever_lost_the_answer_gets_it_while_warm_is_away() {
    let bench = Bench::open().await;
    let (taken, other) = (bench.held(0).await, bench.held(1).await);
    bench.order(taken).await.unwrap();
    let capabilities = &bench.platform.capabilities;
    capabilities.report(Dependency::Warm, Health::Down);
    let again = bench.order(taken).await.unwrap();
    assert!(matches!(&again, Created::Replayed(answer) if &answer[..] == b"an order"), "{again:?}");
    let refused = bench.order(other).await.err().unwrap();
    assert!(matches!(&refused, Error::Refused(refusal) if refusal.code == Code::TryAgain), "{refused:?}");
    // What cold cannot be asked is not asked of it.
    capabilities.report(Dependency::Cold, Health::Down);
    let refused = bench.order(taken).await.err().unwrap();
    assert!(matches!(&refused, Error::Refused(refusal) if refusal.code == Code::TryAgain), "{refused:?}");
}
