//! What `NodeStore` promises: a node lives as long as its lease, and no longer than it wants to.

use std::time::Duration;

use voelgoed_app::environment::Environment;
use voelgoed_app::nodes::ports::{Node, NodeStore};

use crate::subject::{Subject, TestEnvironment};

/// Every case, as a test; `$open` opens a subject.
#[macro_export]
macro_rules! node_store_suite {
    ($open:expr) => {
        $crate::cases! { nodes, $open;
            a_node_lives_until_its_lease_is_over
            a_node_that_leaves_is_gone_and_its_successor_is_another
            the_longest_lived_come_first_and_the_long_dead_are_forgotten
        }
    };
}

const LEASE: Duration = Duration::from_secs(10);

fn a_node(environment: &TestEnvironment, role: &str) -> Node {
    Node {
        id: environment.uuid(),
        role: role.into(),
        address: "127.0.0.1:8080".into(),
        version: "0.1.0".into(),
        started_at: environment.now(),
    }
}

/// A renewal lengthens the lease; at its end the node is not among the living, and comes back by announcing itself.
pub async fn a_node_lives_until_its_lease_is_over<S: NodeStore>(subject: Subject<S>) {
    let (store, environment) = (&*subject.store, &*subject.environment);
    let node = a_node(environment, "web");
    let announce = |now: voelgoed_domain::time::Timestamp| {
        let node = &node;
        async move { store.announce(node, now.plus(LEASE), now.minus(LEASE)).await.unwrap() }
    };
    assert_eq!(store.living(environment.now()).await.unwrap(), []);
    announce(environment.now()).await;
    assert_eq!(store.living(environment.now()).await.unwrap(), std::slice::from_ref(&node));
    announce(environment.advance(LEASE / 2)).await;
    let almost = environment.advance(LEASE - Duration::from_micros(1));
    assert_eq!(store.living(almost).await.unwrap(), std::slice::from_ref(&node));
    let over = environment.advance(Duration::from_micros(1));
    assert_eq!(store.living(over).await.unwrap(), []);
    announce(over).await;
    assert_eq!(store.living(over).await.unwrap(), std::slice::from_ref(&node));
}

/// Leaving twice is no fault.
pub async fn a_node_that_leaves_is_gone_and_its_successor_is_another<S: NodeStore>(subject: Subject<S>) {
    let (store, environment) = (&*subject.store, &*subject.environment);
    let (first, second) = (a_node(environment, "all"), a_node(environment, "all"));
    let now = environment.now();
    store.announce(&first, now.plus(LEASE), now).await.unwrap();
    store.leave(first.id).await.unwrap();
    store.leave(first.id).await.unwrap();
    store.announce(&second, now.plus(LEASE), now).await.unwrap();
    assert_eq!(store.living(now).await.unwrap(), [second]);
}

/// What a killed node left behind goes with the next announcement of anybody.
pub async fn the_longest_lived_come_first_and_the_long_dead_are_forgotten<S: NodeStore>(subject: Subject<S>) {
    let (store, environment) = (&*subject.store, &*subject.environment);
    let mut nodes = Vec::new();
    for role in ["web", "worker", "web"] {
        environment.advance(Duration::from_secs(1));
        nodes.push(a_node(environment, role));
    }
    let now = environment.now();
    for node in nodes.iter().rev() {
        store.announce(node, now.plus(LEASE), now.minus(LEASE)).await.unwrap();
    }
    assert_eq!(store.living(now).await.unwrap(), nodes);
    let later = environment.advance(LEASE * 3);
    store.announce(&nodes[2], later.plus(LEASE), later.minus(LEASE)).await.unwrap();
    assert_eq!(store.living(now).await.unwrap(), nodes[2..], "the others are not even remembered as they were");
}
