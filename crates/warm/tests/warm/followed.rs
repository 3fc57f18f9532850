//! Who follows an event hears of it again after its master was killed and after its slot moved, and misses nothing of what its log still has.

use std::time::Duration;

use tokio::sync::broadcast::Receiver;
use voelgoed_app::ticketing::ports::{CatchUp, InventoryError, InventoryStore, Moved};
use voelgoed_domain::ticketing::place::{Epoch, PlaceNumber, Position};
use voelgoed_testkit::redis::RedisCluster;
use voelgoed_testkit::until::until;

use crate::broken::Node;

/// Recovery takes at most this.
const SOON: Duration = Duration::from_secs(30);

/// Reads as the fan-out does, again and again, until the event is there and its server knows who listens; where it stands then.
async fn reads_again(cluster: &RedisCluster, viewer: &Node, since: Position) -> Position {
    let channel = viewer.key("moved");
    until("the event can be followed", SOON, || async {
        let position = match viewer.store.changes_since(viewer.scope, since).await {
            Ok(CatchUp::Snapshot(snapshot)) => Some(snapshot.position),
            Ok(CatchUp::Changes(changes)) => changes.last().map(|change| change.position).or(Some(since)),
            Err(_) => None,
        };
        let master = cluster.master_of(&viewer.key("meta")).await?;
        let listeners = master.ask(&["PUBSUB", "SHARDNUMSUB", &channel]).await?;
        Ok(position.filter(|_| listeners.ends_with("\n1")))
    })
    .await
    .unwrap()
}

/// A step of another node is signalled to the viewer, and is the next one of the log.
async fn hears(viewer: &Node, heard: &mut Receiver<Moved>, seller: &Node, since: Position, place: u32) {
    // What was signalled before the break is over.
    while heard.try_recv().is_ok() {}
    seller.hold(place).await.unwrap();
    let moved = tokio::time::timeout(SOON, heard.recv()).await.unwrap().unwrap();
    assert_eq!((moved.scope, moved.position), (viewer.scope, Position { seq: since.seq + 1, ..since }));
    let CatchUp::Changes(changes) = viewer.store.changes_since(viewer.scope, since).await.unwrap() else {
        panic!("one step is kept");
    };
    let places: Vec<_> = changes.iter().flat_map(|change| &change.places).map(|(place, _)| *place).collect();
    assert_eq!((changes.len(), places), (1, vec![PlaceNumber(place)]));
}

/// What a seller's node does where the event was lost: a rebuild under the next epoch.
async fn rebuilds(seller: &Node, epoch: u64) {
    until("the event is asked for where it is", SOON, || async {
        Ok(matches!(seller.hold(99).await, Err(InventoryError::Unloaded)).then_some(()))
    })
    .await
    .unwrap();
    seller.load(epoch).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signals_come_again_after_a_failover_and_after_a_slot_moved() {
    let cluster = RedisCluster::start(crate::servers::directory()).await.unwrap();
    let seller = Node::new(&cluster.url());
    seller.load(1).await;
    let viewer = seller.neighbour();
    let mut heard = viewer.store.subscribe();
    let start = reads_again(&cluster, &viewer, Position::default()).await;
    hears(&viewer, &mut heard, &seller, start, 1).await;

    let key = seller.key("meta");
    let old = cluster.master_of(&key).await.unwrap();
    old.replicated().await.unwrap();
    old.kill().unwrap();
    cluster.failed_over(&key, old).await.unwrap();
    rebuilds(&seller, 2).await;
    let now = reads_again(&cluster, &viewer, start).await;
    assert_eq!(now.epoch, Epoch(2), "a new epoch is a snapshot, never a gap");
    hears(&viewer, &mut heard, &seller, now, 2).await;

    cluster.move_slot(&key).await.unwrap();
    rebuilds(&seller, 3).await;
    let now = reads_again(&cluster, &viewer, now).await;
    assert_eq!(now.epoch, Epoch(3));
    hears(&viewer, &mut heard, &seller, now, 3).await;
}
