//! Contract tests of `ClusterBus`: a subscriber receives every message from its subscription on, in the order of each publisher, and none from before.

use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::outbox::cluster_bus::{ClusterBus, ClusterMessage, ClusterMessages};
use voelgoed_app::outbox::event::OutboxEvent;

use crate::sut::{Sut, TestEnvironment};

/// Makes a test of each case; `$open` is an expression that opens a [`Sut`](crate::sut::Sut) when awaited.
#[macro_export]
macro_rules! cluster_bus_suite {
    ($open:expr) => {
        $crate::cases! { cluster_bus, $open;
            every_subscriber_receives_all_messages_in_order
            new_subscriber_receives_only_later_messages
            dropped_subscriber_does_not_affect_others
        }
    };
}

/// How long a message may take.
const RECEIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// A message that differs from all others.
pub fn new_message(environment: &TestEnvironment, from: Uuid) -> ClusterMessage {
    ClusterMessage {
        from,
        organization: new_id(environment),
        outbox_event: OutboxEvent::ListingChanged { event: new_id(environment) },
    }
}

async fn receive(messages: &mut ClusterMessages) -> ClusterMessage {
    tokio::time::timeout(RECEIVE_TIMEOUT, messages.receiver.recv())
        .await
        .expect("a message in time")
        .expect("an open subscription")
}

/// The publisher receives its own messages as well.
pub async fn every_subscriber_receives_all_messages_in_order<S: ClusterBus>(sut: Sut<S>) {
    let (store, environment) = (&*sut.store, &*sut.environment);
    let mut subscribers = [store.subscribe().await.unwrap(), store.subscribe().await.unwrap()];
    let node = environment.uuid();
    let sent: Vec<_> = (0..100).map(|_| new_message(environment, node)).collect();
    for message in &sent {
        store.publish(message).await.unwrap();
    }
    for subscriber in &mut subscribers {
        for message in &sent {
            assert_eq!(receive(subscriber).await, *message);
        }
    }
}

/// The bus stores no messages.
pub async fn new_subscriber_receives_only_later_messages<S: ClusterBus>(sut: Sut<S>) {
    let (store, environment) = (&*sut.store, &*sut.environment);
    let [before, after] = [environment.uuid(), environment.uuid()].map(|node| new_message(environment, node));
    store.publish(&before).await.unwrap();
    let mut subscriber = store.subscribe().await.unwrap();
    store.publish(&after).await.unwrap();
    assert_eq!(receive(&mut subscriber).await, after);
}

/// The other subscribers receive further messages.
pub async fn dropped_subscriber_does_not_affect_others<S: ClusterBus>(sut: Sut<S>) {
    let (store, environment) = (&*sut.store, &*sut.environment);
    let mut remaining = store.subscribe().await.unwrap();
    drop(store.subscribe().await.unwrap());
    let message = new_message(environment, environment.uuid());
    store.publish(&message).await.unwrap();
    assert_eq!(receive(&mut remaining).await, message);
}
