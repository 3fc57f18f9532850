//! Checks that a follower of an event receives signals again after a failover and after a slot migration, without a gap in the log.

use std::time::Duration;

use tokio::sync::broadcast::Receiver;
use voelgoed_app::ticketing::ports::{CatchUp, InventoryError, InventorySignal, InventoryStore};
use voelgoed_domain::ticketing::place::{Epoch, Position};
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_testkit::redis::RedisCluster;
use voelgoed_testkit::until::until;

use crate::node::StoreNode;

/// The time within which signals must arrive again.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(30);

/// Reads like the fan-out until the event is loaded and its server has the subscription; returns the position.
async fn read_until_followed(cluster: &RedisCluster, viewer: &StoreNode, since: Position) -> Position {
    let channel = viewer.key("moved");
    until("the event can be followed", RECOVERY_TIMEOUT, || async {
        let position = match viewer.store.changes_since(viewer.scope, since).await {
            Ok(CatchUp::Snapshot(snapshot)) => Some(snapshot.position),
            Ok(CatchUp::Changes(changes)) => changes.last().map(|change| change.position).or(Some(since)),
            Err(_) => None,
        };
        let master = cluster.master_of(&viewer.key("meta")).await?;
        let listeners = master.execute(&["PUBSUB", "SHARDNUMSUB", &channel]).await?;
        Ok(position.filter(|_| listeners.ends_with("\n1")))
    })
    .await
    .unwrap()
}

/// Asserts that a step of another node is signalled to the viewer and is the next one of the log.
async fn assert_signalled(
    viewer: &StoreNode,
    signals: &mut Receiver<InventorySignal>,
    seller: &StoreNode,
    since: Position,
    place: u32,
) {
    // Drops signals from before the failure.
    while signals.try_recv().is_ok() {}
    seller.hold(place).await.unwrap();
    let moved = tokio::time::timeout(RECOVERY_TIMEOUT, signals.recv()).await.unwrap().unwrap();
    assert_eq!((moved.scope, moved.position), (viewer.scope, Position { seq: since.seq + 1, ..since }));
    let CatchUp::Changes(changes) = viewer.store.changes_since(viewer.scope, since).await.unwrap() else {
        panic!("the log contains the step");
    };
    let places: Vec<_> = changes.iter().flat_map(|change| &change.places).map(|(place, _)| *place).collect();
    assert_eq!((changes.len(), places), (1, vec![PlaceNumber(place)]));
}

/// Rebuilds the lost event under the next epoch, as a seller's node does.
async fn rebuild(seller: &StoreNode, epoch: u64) {
    until("the seller reaches the new master", RECOVERY_TIMEOUT, || async {
        Ok(matches!(seller.hold(99).await, Err(InventoryError::Unloaded)).then_some(()))
    })
    .await
    .unwrap();
    seller.load(epoch).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signals_arrive_again_after_a_failover_and_after_a_slot_migration() {
    let cluster = RedisCluster::start(crate::shared_servers::directory()).await.unwrap();
    let seller = StoreNode::new(&cluster.url());
    seller.load(1).await;
    let viewer = seller.neighbour();
    let mut signals = viewer.store.subscribe();
    let start = read_until_followed(&cluster, &viewer, Position::default()).await;
    assert_signalled(&viewer, &mut signals, &seller, start, 1).await;

    let key = seller.key("meta");
    let old = cluster.master_of(&key).await.unwrap();
    old.replica_caught_up().await.unwrap();
    old.kill().unwrap();
    cluster.wait_for_failover(&key, old).await.unwrap();
    rebuild(&seller, 2).await;
    let now = read_until_followed(&cluster, &viewer, start).await;
    assert_eq!(now.epoch, Epoch(2), "a new epoch comes as a snapshot, never as a gap");
    assert_signalled(&viewer, &mut signals, &seller, now, 2).await;

    cluster.move_slot(&key).await.unwrap();
    rebuild(&seller, 3).await;
    let now = read_until_followed(&cluster, &viewer, now).await;
    assert_eq!(now.epoch, Epoch(3));
    assert_signalled(&viewer, &mut signals, &seller, now, 3).await;
}
