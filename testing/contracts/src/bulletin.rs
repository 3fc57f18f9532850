//! What `ClusterBus` promises: whoever listens hears what is told from then on, in each teller's order, and nothing of what was told before.

use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::outbox::cluster_bus::{ClusterBus, ClusterMessage, ClusterMessages};
use voelgoed_app::outbox::event::OutboxEvent;

use crate::subject::{Subject, TestEnvironment};

/// Every case, as a test; `$open` opens a subject.
#[macro_export]
macro_rules! bulletin_suite {
    ($open:expr) => {
        $crate::cases! { bulletin, $open;
            all_who_listen_hear_everything_in_order
            who_comes_later_hears_what_is_told_later
            who_stops_listening_is_not_missed
        }
    };
}

/// What is told arrives within this.
const SOON: Duration = Duration::from_secs(10);

/// A notice like no other.
pub fn a_notice(environment: &TestEnvironment, from: Uuid) -> ClusterMessage {
    ClusterMessage {
        from,
        organization: fresh(environment),
        fact: OutboxEvent::ListingChanged { event: fresh(environment) },
    }
}

async fn heard(notices: &mut ClusterMessages) -> ClusterMessage {
    tokio::time::timeout(SOON, notices.heard.recv()).await.expect("it is heard").expect("the way holds")
}

/// The teller included.
pub async fn all_who_listen_hear_everything_in_order<S: ClusterBus>(subject: Subject<S>) {
    let (store, environment) = (&*subject.store, &*subject.environment);
    let mut listeners = [store.listen().await.unwrap(), store.listen().await.unwrap()];
    let node = environment.uuid();
    let told: Vec<_> = (0..100).map(|_| a_notice(environment, node)).collect();
    for notice in &told {
        store.tell(notice).await.unwrap();
    }
    for listener in &mut listeners {
        for notice in &told {
            assert_eq!(heard(listener).await, *notice);
        }
    }
}

/// Nothing is kept.
pub async fn who_comes_later_hears_what_is_told_later<S: ClusterBus>(subject: Subject<S>) {
    let (store, environment) = (&*subject.store, &*subject.environment);
    let [before, after] = [environment.uuid(), environment.uuid()].map(|node| a_notice(environment, node));
    store.tell(&before).await.unwrap();
    let mut listener = store.listen().await.unwrap();
    store.tell(&after).await.unwrap();
    assert_eq!(heard(&mut listener).await, after);
}

/// The others hear on.
pub async fn who_stops_listening_is_not_missed<S: ClusterBus>(subject: Subject<S>) {
    let (store, environment) = (&*subject.store, &*subject.environment);
    let mut stays = store.listen().await.unwrap();
    drop(store.listen().await.unwrap());
    let notice = a_notice(environment, environment.uuid());
    store.tell(&notice).await.unwrap();
    assert_eq!(heard(&mut stays).await, notice);
}
