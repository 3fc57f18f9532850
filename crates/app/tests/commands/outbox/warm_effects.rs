//! Applies what cold decided to warm, whether or not warm has loaded the event (P1, P4, P8).

use voelgoed_app::environment::{Environment as _, new_id};
use voelgoed_app::outbox::consumer::{ConsumeError, OutboxConsumer as _};
use voelgoed_app::outbox::event::{OutboxEvent, OutboxRow};
use voelgoed_app::ticketing::ports::{Block, GateFilter};
use voelgoed_app::ticketing::warm_effects::WarmEffects;
use voelgoed_domain::ticketing::place::DisplayState;
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use voelgoed_testkit::platform::TestPlatform;

#[tokio::test]
async fn effect_on_an_unloaded_event_is_acknowledged_once_warm_shows_it() {
    let shop = TestPlatform::open().await;
    let block = Block { id: shop.environment.uuid(), places: vec![PlaceNumber(3)], reason: "for the band".into() };
    shop.slices.ticketing.places.block(shop.scope.organization, shop.scope.event, block, None).await.unwrap().unwrap();
    assert!(shop.slices.ticketing.inventory.snapshot(shop.scope).await.is_err(), "the event is not loaded");
    let rows = shop.outbox_rows().await;
    let row = rows.iter().find(|row| matches!(row.outbox_event, OutboxEvent::PlacesChanged { .. })).unwrap();
    let ticketing = &shop.slices.ticketing;
    let reader = WarmEffects { inventory: ticketing.inventory.clone(), loader: ticketing.loader.clone() };
    for _ in 0..2 {
        reader.consume(row).await.unwrap();
        let shown = shop.slices.ticketing.inventory.snapshot(shop.scope).await.unwrap().places;
        assert_eq!((shown[3], shown[2]), (DisplayState::Blocked, DisplayState::Free), "a redelivery changes nothing");
    }
}

#[tokio::test]
async fn sold_place_is_shown_as_sold_and_its_revoked_ticket_is_in_the_gates_filter() {
    let shop = TestPlatform::open().await;
    let order = shop.paid_order(0).await;
    shop.relay().await;
    let inventory = &shop.slices.ticketing.inventory;
    assert_eq!(inventory.snapshot(shop.scope).await.unwrap().places[0], DisplayState::Sold);
    assert_eq!(inventory.gate_filter(shop.scope, order.tickets[0].id).await.unwrap(), GateFilter::Unseen);
    let row = |event| OutboxRow {
        id: shop.environment.uuid(),
        organization: shop.scope.organization,
        aggregate: shop.scope.event.uuid(),
        version: 1,
        outbox_event: event,
        at: shop.environment.now(),
    };
    let ticketing = &shop.slices.ticketing;
    let warm = WarmEffects { inventory: inventory.clone(), loader: ticketing.loader.clone() };
    let (event, ticket) = (shop.scope.event, order.tickets[0].id);
    warm.consume(&row(OutboxEvent::TicketAdmitted { event, ticket })).await.unwrap();
    assert_eq!(inventory.gate_filter(shop.scope, ticket).await.unwrap(), GateFilter::Admitted);
    warm.consume(&row(OutboxEvent::TicketsRevoked { event, tickets: vec![ticket] })).await.unwrap();
    assert_eq!(inventory.gate_filter(shop.scope, ticket).await.unwrap(), GateFilter::Revoked);
}

#[tokio::test]
async fn effect_on_a_deleted_event_is_acknowledged_and_a_fault_is_not() {
    let shop = TestPlatform::open().await;
    let ticketing = &shop.slices.ticketing;
    let warm = WarmEffects { inventory: ticketing.inventory.clone(), loader: ticketing.loader.clone() };
    let row = OutboxRow {
        id: shop.environment.uuid(),
        organization: shop.scope.organization,
        aggregate: shop.scope.event.uuid(),
        version: 1,
        outbox_event: OutboxEvent::TicketAdmitted {
            event: new_id(&*shop.environment),
            ticket: new_id(&*shop.environment),
        },
        at: shop.environment.now(),
    };
    warm.consume(&row).await.unwrap();
    let outbox_event = OutboxEvent::TicketAdmitted { event: shop.scope.event, ticket: new_id(&*shop.environment) };
    let row = OutboxRow { outbox_event, ..row };
    shop.cold.close().await;
    assert!(matches!(warm.consume(&row).await, Err(ConsumeError::RetryLater(_))));
}
