//! Contract tests of `NodeStore`: a node is live until its lease expires or it leaves.

use std::time::Duration;

use voelgoed_app::environment::Environment;
use voelgoed_app::nodes::ports::{MemberNode, NodeStore};

use crate::sut::{Sut, TestEnvironment};

/// Makes a test of each case; `$open` is an expression that opens a [`Sut`](crate::sut::Sut) when awaited.
#[macro_export]
macro_rules! node_store_suite {
    ($open:expr) => {
        $crate::cases! { nodes, $open;
            node_is_live_until_its_lease_expires
            node_that_leaves_is_removed_at_once
            nodes_are_listed_oldest_first_and_expired_nodes_deleted
        }
    };
}

const LEASE: Duration = Duration::from_secs(10);

fn new_node(environment: &TestEnvironment, role: &str) -> MemberNode {
    MemberNode {
        id: environment.uuid(),
        role: role.into(),
        address: "127.0.0.1:8080".into(),
        version: "0.1.0".into(),
        started_at: environment.now(),
    }
}

/// A heartbeat renews the lease; a node whose lease has ended is live again after its next heartbeat.
pub async fn node_is_live_until_its_lease_expires<S: NodeStore>(sut: Sut<S>) {
    let (store, environment) = (&*sut.store, &*sut.environment);
    let node = new_node(environment, "web");
    let heartbeat = |now: voelgoed_domain::time::Timestamp| {
        let node = &node;
        async move { store.heartbeat(node, now.plus(LEASE), now.minus(LEASE)).await.unwrap() }
    };
    assert_eq!(store.live_nodes(environment.now()).await.unwrap(), []);
    heartbeat(environment.now()).await;
    assert_eq!(store.live_nodes(environment.now()).await.unwrap(), std::slice::from_ref(&node));
    heartbeat(environment.advance(LEASE / 2)).await;
    let almost = environment.advance(LEASE - Duration::from_micros(1));
    assert_eq!(store.live_nodes(almost).await.unwrap(), std::slice::from_ref(&node));
    let over = environment.advance(Duration::from_micros(1));
    assert_eq!(store.live_nodes(over).await.unwrap(), []);
    heartbeat(over).await;
    assert_eq!(store.live_nodes(over).await.unwrap(), std::slice::from_ref(&node));
}

/// Leaving twice is no error.
pub async fn node_that_leaves_is_removed_at_once<S: NodeStore>(sut: Sut<S>) {
    let (store, environment) = (&*sut.store, &*sut.environment);
    let (first, second) = (new_node(environment, "all"), new_node(environment, "all"));
    let now = environment.now();
    store.heartbeat(&first, now.plus(LEASE), now).await.unwrap();
    store.leave(first.id).await.unwrap();
    store.leave(first.id).await.unwrap();
    store.heartbeat(&second, now.plus(LEASE), now).await.unwrap();
    assert_eq!(store.live_nodes(now).await.unwrap(), [second]);
}

/// The next heartbeat of any node deletes nodes that expired long ago.
pub async fn nodes_are_listed_oldest_first_and_expired_nodes_deleted<S: NodeStore>(sut: Sut<S>) {
    let (store, environment) = (&*sut.store, &*sut.environment);
    let mut nodes = Vec::new();
    for role in ["web", "worker", "web"] {
        environment.advance(Duration::from_secs(1));
        nodes.push(new_node(environment, role));
    }
    let now = environment.now();
    for node in nodes.iter().rev() {
        store.heartbeat(node, now.plus(LEASE), now.minus(LEASE)).await.unwrap();
    }
    assert_eq!(store.live_nodes(now).await.unwrap(), nodes);
    let later = environment.advance(LEASE * 3);
    store.heartbeat(&nodes[2], later.plus(LEASE), later.minus(LEASE)).await.unwrap();
    assert_eq!(store.live_nodes(now).await.unwrap(), nodes[2..], "the others were deleted");
}
