//! Consumes outbox events on a node: caches drop what changed, gates are notified, other nodes get a message.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use voelgoed_app::accounts::cached_credential_revocation::CachedCredentialRevocation;
use voelgoed_app::accounts::credentials::RevokedCredential;
use voelgoed_app::accounts::ports::{AccountStore, ApiKey};
use voelgoed_app::catalog::listing_invalidation::ListingInvalidation;
use voelgoed_app::catalog::ports::CatalogStore;
use voelgoed_app::environment::{Environment as _, new_id};
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::outbox::cluster_bus::{ClusterBus, ClusterMessage, ClusterMessages, ClusterPublisher};
use voelgoed_app::outbox::consumer::OutboxConsumer as _;
use voelgoed_app::outbox::event::{OUTBOX_FORMAT_MAX, OutboxEvent, OutboxRow};
use voelgoed_app::scanning::gate_notifications::GateNotifications;
use voelgoed_app::scanning::gate_signals::{GateSignal, GateWatch};
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::catalog::event::EventState;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_testkit::platform::TestPlatform;

fn row(shop: &TestPlatform, event: OutboxEvent) -> OutboxRow {
    OutboxRow {
        id: shop.environment.uuid(),
        organization: shop.scope.organization,
        aggregate: shop.environment.uuid(),
        version: 1,
        outbox_event: event,
        at: shop.environment.now(),
    }
}

/// One event of every kind.
fn every_event(shop: &TestPlatform) -> Vec<OutboxEvent> {
    let event = shop.scope.event;
    vec![
        OutboxEvent::PlacesChanged { event, claimed_by: None, effects: vec![] },
        OutboxEvent::OrderChanged { event, order: new_id(&*shop.environment), state: OrderState::Paid },
        OutboxEvent::TicketAdmitted { event, ticket: new_id(&*shop.environment) },
        OutboxEvent::TicketsRevoked { event, tickets: vec![new_id(&*shop.environment)] },
        OutboxEvent::CredentialRevoked { revoked: RevokedCredential::Device(new_id(&*shop.environment)) },
        OutboxEvent::ListingChanged { event },
    ]
}

#[tokio::test]
async fn listing_that_another_node_changed_is_read_again_after_its_event() {
    let shop = TestPlatform::open().await;
    let (slices, scope) = (&shop.slices, shop.scope);
    let shown = async || slices.catalog.listings.listing(scope).await.unwrap().event.state;
    assert_eq!(shown().await, EventState::Published);
    // Another node writes to the same store.
    let now = shop.environment.now();
    let (from, to) = ([EventState::Published], EventState::Paused);
    shop.cold.transition_event(scope.organization, scope.event, &from, to, now).await.unwrap().unwrap();
    let caches = ListingInvalidation(slices.catalog.listings.clone());
    for event in every_event(&shop) {
        assert_eq!(shown().await, EventState::Published, "before {event:?}");
        caches.consume(&row(&shop, event)).await.unwrap();
    }
    assert_eq!(shown().await, EventState::Paused);
}

#[tokio::test]
async fn key_that_another_node_revoked_is_refused_after_its_event() {
    let shop = TestPlatform::open().await;
    let (secret, organization) = ([7; 32], shop.scope.organization);
    let key = ApiKey {
        id: new_id(&*shop.environment),
        organization,
        name: "Till".into(),
        scopes: vec![Scope::Sales],
        created_at: shop.environment.now(),
        revoked_at: None,
    };
    shop.cold.create_api_key(key.clone(), secret, None).await.unwrap().unwrap();
    let credentials = &shop.slices.accounts.credentials;
    assert!(credentials.api_key(secret).await.unwrap().is_some());
    let caches = CachedCredentialRevocation(credentials.clone());
    let revoked = OutboxEvent::CredentialRevoked { revoked: RevokedCredential::ApiKey(key.id) };
    let elsewhere = OutboxRow { organization: new_id(&*shop.environment), ..row(&shop, revoked.clone()) };
    caches.consume(&elsewhere).await.unwrap();
    assert!(credentials.api_key(secret).await.unwrap().is_some(), "another organization's");
    caches.consume(&row(&shop, revoked)).await.unwrap();
    assert!(credentials.api_key(secret).await.unwrap().is_none());
}

#[tokio::test]
async fn gates_are_notified_of_tickets_and_listings_and_of_nothing_else() {
    let shop = TestPlatform::open().await;
    let watch = GateWatch::default();
    let mut signals = watch.subscribe();
    let events = every_event(&shop);
    let gates = GateNotifications(watch);
    for event in &events {
        gates.consume(&row(&shop, event.clone())).await.unwrap();
    }
    let (OutboxEvent::TicketAdmitted { ticket, .. }, OutboxEvent::TicketsRevoked { tickets, .. }) =
        (&events[2], &events[3])
    else {
        panic!("{events:?}")
    };
    let expected = [GateSignal::Admitted(*ticket), GateSignal::Revoked(tickets.clone()), GateSignal::Listing];
    for signal in expected {
        assert_eq!(signals.try_recv().unwrap(), (Some(shop.scope), signal));
    }
    assert!(signals.try_recv().is_err());
}

#[tokio::test]
async fn signals_to_devices_name_the_device_or_no_event() {
    let watch = GateWatch::default();
    let mut signals = watch.subscribe();
    let shop = TestPlatform::open().await;
    let device = new_id(&*shop.environment);
    watch.device_revoked(device);
    watch.resync();
    assert_eq!(signals.try_recv().unwrap(), (None, GateSignal::DeviceRevoked(device)));
    assert_eq!(signals.try_recv().unwrap(), (None, GateSignal::Resync));
}

/// Keeps the messages that are published, or fails.
#[derive(Default)]
struct RecordingBus {
    published: Mutex<Vec<ClusterMessage>>,
    is_down: AtomicBool,
}

#[async_trait]
impl ClusterBus for RecordingBus {
    async fn publish(&self, message: &ClusterMessage) -> StoreResult<()> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(Fault::unavailable(Dependency::Warm, "no connection"));
        }
        self.published.lock().unwrap().push(message.clone());
        Ok(())
    }

    async fn subscribe(&self) -> StoreResult<ClusterMessages> {
        Err(Fault::unavailable(Dependency::Warm, "no connection"))
    }
}

#[tokio::test]
async fn other_nodes_get_every_event_but_changes_of_places() {
    let shop = TestPlatform::open().await;
    let bus = Arc::new(RecordingBus::default());
    let node = shop.environment.uuid();
    let publisher = ClusterPublisher { bus: bus.clone(), node };
    let events = every_event(&shop);
    for event in &events {
        publisher.consume(&row(&shop, event.clone())).await.unwrap();
    }
    let organization = shop.scope.organization;
    let message = |event: &OutboxEvent| ClusterMessage { from: node, organization, outbox_event: event.clone() };
    let expected: Vec<_> = events[1..].iter().map(message).collect();
    assert_eq!(*bus.published.lock().unwrap(), expected);
}

#[tokio::test]
async fn event_that_cannot_be_published_to_other_nodes_is_acknowledged() {
    let shop = TestPlatform::open().await;
    let bus = Arc::new(RecordingBus::default());
    bus.is_down.store(true, Ordering::SeqCst);
    let publisher = ClusterPublisher { bus, node: shop.environment.uuid() };
    publisher.consume(&row(&shop, OutboxEvent::ListingChanged { event: shop.scope.event })).await.unwrap();
}

#[tokio::test]
async fn events_of_the_first_format_are_read_by_every_program() {
    let shop = TestPlatform::open().await;
    let formats: Vec<_> = every_event(&shop).iter().map(OutboxEvent::format).collect();
    assert_eq!(formats, [1, 1, 1, 1, 2, 1]);
    assert_eq!(formats.into_iter().max(), Some(OUTBOX_FORMAT_MAX));
}
