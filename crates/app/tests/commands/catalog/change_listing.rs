//! Creates, publishes, changes and deletes events; every change is in this node's listing at once.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use voelgoed_app::environment::Environment as _;
use voelgoed_app::idempotency::{Created, Idempotent};
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::catalog::event::{Event, EventChange, EventDraft, EventState, EventTransition};
use voelgoed_domain::catalog::ticket_type::TicketTypeDraft;
use voelgoed_domain::refusal::Code;
use voelgoed_testkit::platform::TestPlatform;

use crate::support::{code, created, hold, key, refusal, seat};

async fn draft(shop: &TestPlatform) -> EventDraft {
    let now = shop.environment.now();
    let layout = shop.slices.catalog.listings.listing(shop.scope).await.unwrap().event.layout;
    let closes_at = now.plus(Duration::from_secs(3_600));
    serde_json::from_value(json!({
        "name": "Matins", "layout": layout, "starts_at": now.plus(Duration::from_secs(86_400)),
        "timezone": "Africa/Johannesburg", "sale": {"opens_at": now, "closes_at": closes_at}, "currency": "ZAR",
    }))
    .unwrap()
}

async fn draft_event(shop: &TestPlatform) -> EventScope {
    let event = created(shop.slices.catalog.create_event(shop.scope.organization, draft(shop).await, None).await);
    EventScope { organization: shop.scope.organization, event: event.id }
}

fn ticket_type() -> TicketTypeDraft {
    serde_json::from_value(json!({"name": "Adult", "price": {"amount": 45_000, "currency": "ZAR"}})).unwrap()
}

async fn state(shop: &TestPlatform, scope: EventScope) -> EventState {
    shop.slices.catalog.listings.listing(scope).await.unwrap().event.state
}

#[tokio::test]
async fn publishing_an_event_without_ticket_types_is_refused() {
    let shop = TestPlatform::open().await;
    let scope = draft_event(&shop).await;
    let publish = async || shop.slices.catalog.transition_event(scope, EventTransition::Publish).await;
    assert_eq!(code(publish().await), Code::WrongState);
    assert_eq!(state(&shop, scope).await, EventState::Draft);
    created(shop.slices.catalog.create_ticket_type(scope, ticket_type(), None).await);
    assert_eq!(publish().await.unwrap().state, EventState::Published);
    assert_eq!(code(publish().await), Code::WrongState, "it is published");
}

#[tokio::test]
async fn paused_event_is_not_sold_until_it_opens_again() {
    let shop = TestPlatform::open().await;
    let transition = async |act| shop.slices.catalog.transition_event(shop.scope, act).await;
    hold(&shop, vec![seat(&shop, 0)]).await.unwrap();
    assert_eq!(transition(EventTransition::Pause).await.unwrap().state, EventState::Paused);
    assert_eq!(code(hold(&shop, vec![seat(&shop, 3)]).await), Code::SaleClosed);
    assert_eq!(transition(EventTransition::Open).await.unwrap().state, EventState::Published);
    hold(&shop, vec![seat(&shop, 3)]).await.unwrap();
    assert_eq!(transition(EventTransition::Close).await.unwrap().state, EventState::Closed);
    assert_eq!(state(&shop, shop.scope).await, EventState::Closed);
    assert_eq!(code(hold(&shop, vec![seat(&shop, 2)]).await), Code::SaleClosed);
}

#[tokio::test]
async fn event_that_another_node_moved_meanwhile_is_not_moved_from_the_old_state() {
    let shop = TestPlatform::open().await;
    assert_eq!(state(&shop, shop.scope).await, EventState::Published);
    let (store, now) = (&shop.slices.catalog.store, shop.environment.now());
    let from = [EventState::Published];
    store
        .transition_event(shop.scope.organization, shop.scope.event, &from, EventState::Closed, now)
        .await
        .unwrap()
        .unwrap();
    let late = shop.slices.catalog.transition_event(shop.scope, EventTransition::Pause).await;
    assert_eq!(code(late), Code::WrongState);
}

#[tokio::test]
async fn changed_event_is_in_the_listing_at_once() {
    let shop = TestPlatform::open().await;
    let change = EventChange { name: Some(" Vespers ".into()), ..EventChange::default() };
    let changed = shop.slices.catalog.change_event(shop.scope, change).await.unwrap();
    assert_eq!(changed.name, "Vespers");
    let listing = shop.slices.catalog.listings.listing(shop.scope).await.unwrap();
    assert_eq!(listing.event, changed);
    let stranger = EventScope { organization: voelgoed_app::environment::new_id(&*shop.environment), ..shop.scope };
    let change = EventChange { name: Some("Vespers".into()), ..EventChange::default() };
    assert_eq!(code(shop.slices.catalog.change_event(stranger, change).await), Code::NotFound);
}

#[tokio::test]
async fn new_ticket_type_is_sold_at_once() {
    let shop = TestPlatform::open().await;
    assert_eq!(shop.slices.catalog.listings.listing(shop.scope).await.unwrap().ticket_types.len(), 1);
    let new = created(shop.slices.catalog.create_ticket_type(shop.scope, ticket_type(), None).await);
    let item = voelgoed_app::ticketing::choose_places::HoldItem::Place {
        place: voelgoed_domain::ticketing::place_number::PlaceNumber(0),
        ticket_type: new.id,
        accessible: false,
    };
    let held = hold(&shop, vec![item]).await.unwrap();
    assert_eq!(held.places[0].ticket_type, new.id);
}

#[tokio::test]
async fn draft_is_deleted_and_a_published_event_is_not() {
    let shop = TestPlatform::open().await;
    let scope = draft_event(&shop).await;
    assert_eq!(state(&shop, scope).await, EventState::Draft);
    shop.slices.catalog.delete_event(scope).await.unwrap();
    assert_eq!(code(shop.slices.catalog.listings.listing(scope).await), Code::NotFound);
    assert_eq!(code(shop.slices.catalog.delete_event(scope).await), Code::NotFound);
    assert_eq!(code(shop.slices.catalog.delete_event(shop.scope).await), Code::WrongState);
}

#[tokio::test]
async fn repeated_creation_of_an_event_is_replayed() {
    let shop = TestPlatform::open().await;
    let create = async |digest| {
        let idempotent = Idempotent { key: key("event", digest), render: &|_: &Event| Bytes::from_static(b"an event") };
        shop.slices.catalog.create_event(shop.scope.organization, draft(&shop).await, Some(idempotent)).await
    };
    created(create(1).await);
    let again = create(1).await.unwrap();
    assert!(matches!(&again, Created::Replayed(answer) if &answer[..] == b"an event"), "{again:?}");
    assert_eq!(code(create(2).await), Code::IdempotencyMismatch);
    let events = shop.slices.catalog.store.events(Some(shop.scope.organization), false, Default::default()).await;
    assert_eq!(events.unwrap().items.len(), 2);
}

#[tokio::test]
async fn event_with_an_unknown_layout_is_refused() {
    let shop = TestPlatform::open().await;
    let unknown = EventDraft { layout: voelgoed_app::environment::new_id(&*shop.environment), ..draft(&shop).await };
    let refused = refusal(shop.slices.catalog.create_event(shop.scope.organization, unknown, None).await);
    assert_eq!(refused.code, Code::NotFound);
}
