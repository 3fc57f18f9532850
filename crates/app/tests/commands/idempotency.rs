//! Replays stored answers to the same request until their retention ends; an answer that could not be rendered is not stored.

use std::time::Duration;

use bytes::Bytes;
use voelgoed_app::catalog::ports::Venue;
use voelgoed_app::error::{CommandError, CommandResult};
use voelgoed_app::idempotency::{ANSWER_RETENTION, Created, Idempotent};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_resilience::{Dependency, DependencyHealth};
use voelgoed_testkit::platform::TestPlatform;

use crate::support::{code, created, key};

const MICRO: Duration = Duration::from_micros(1);

async fn venue(shop: &TestPlatform, name: &str, digest: u8, answer: &'static str) -> CommandResult<Created<Venue>> {
    let idempotent = Idempotent { key: key("venue", digest), render: &|_| Bytes::from_static(answer.as_bytes()) };
    shop.slices.catalog.create_venue(shop.scope.organization, name, "", Some(idempotent)).await
}

async fn venues(shop: &TestPlatform) -> usize {
    let page = shop.slices.catalog.store.venues(shop.scope.organization, Default::default()).await.unwrap();
    page.items.len()
}

#[tokio::test]
async fn same_request_gets_the_first_answer_and_another_request_is_refused() {
    let shop = TestPlatform::open().await;
    let before = venues(&shop).await;
    created(venue(&shop, "Hall", 1, "first").await);
    let again = venue(&shop, "Hall", 1, "second").await.unwrap();
    assert!(matches!(&again, Created::Replayed(answer) if &answer[..] == b"first"), "{again:?}");
    assert_eq!(code(venue(&shop, "Barn", 2, "other").await), Code::IdempotencyMismatch);
    assert_eq!(venues(&shop).await, before + 1);
}

#[tokio::test]
async fn answer_is_replayed_until_its_retention_ends() {
    let shop = TestPlatform::open().await;
    created(venue(&shop, "Hall", 1, "first").await);
    shop.environment.advance(ANSWER_RETENTION - MICRO);
    assert!(matches!(venue(&shop, "Hall", 1, "second").await.unwrap(), Created::Replayed(_)));
    shop.environment.advance(MICRO);
    created(venue(&shop, "Hall", 1, "second").await);
    let again = venue(&shop, "Hall", 1, "third").await.unwrap();
    assert!(matches!(&again, Created::Replayed(answer) if &answer[..] == b"second"), "{again:?}");
}

#[tokio::test]
async fn order_is_replayed_until_the_retention_of_its_answer_ends_and_named_afterwards() {
    let shop = TestPlatform::open().await;
    let held = shop.hold_seat(0).await;
    created(shop.order(held).await);
    shop.relay().await;
    shop.environment.advance(ANSWER_RETENTION - MICRO);
    assert!(matches!(shop.order(held).await.unwrap(), Created::Replayed(_)));
    shop.environment.advance(MICRO);
    assert_eq!(code(shop.order(held).await), Code::AlreadyOrdered);
}

#[tokio::test]
async fn unrenderable_answer_rolls_the_command_back() {
    let shop = TestPlatform::open().await;
    let before = venues(&shop).await;
    let created = venue(&shop, "Hall", 1, "").await;
    assert!(matches!(created, Err(CommandError::Fault(_))), "{created:?}");
    assert_eq!(venues(&shop).await, before);
}

#[tokio::test]
async fn stored_answer_is_read_only_while_cold_is_up_and_for_the_same_request() {
    let shop = TestPlatform::open().await;
    created(venue(&shop, "Hall", 1, "first").await);
    let replays = &shop.slices.payments.replays;
    let refused = |code| CommandError::Refused(Refusal::new(code, "refused"));
    let ask =
        async |digest, error| replays.replay_or::<Venue>(shop.scope.organization, &key("venue", digest), error).await;
    assert!(matches!(ask(1, refused(Code::WrongState)).await.unwrap(), Created::Replayed(_)));
    assert_eq!(code(ask(2, refused(Code::WrongState)).await), Code::IdempotencyMismatch);
    assert_eq!(code(ask(1, refused(Code::IdempotencyMismatch)).await), Code::IdempotencyMismatch);
    let unknown =
        replays.replay_or::<Venue>(shop.scope.organization, &key("other", 1), refused(Code::WrongState)).await;
    assert_eq!(code(unknown), Code::WrongState);
    let health = &shop.slices.context.capabilities;
    for down in [DependencyHealth::ReplicaOnly, DependencyHealth::Down] {
        health.report(Dependency::Cold, down);
        assert_eq!(code(ask(1, refused(Code::TryAgain)).await), Code::TryAgain);
    }
}

#[test]
fn value_of_a_created_outcome_is_mapped_and_a_replay_is_kept() {
    let fresh = Created::Fresh(2).map(|value| value + 1);
    assert!(matches!(fresh, Created::Fresh(3)));
    let replayed = Created::<i32>::Replayed(Bytes::from_static(b"first")).map(|value| value + 1);
    assert!(matches!(replayed, Created::Replayed(answer) if &answer[..] == b"first"));
}
