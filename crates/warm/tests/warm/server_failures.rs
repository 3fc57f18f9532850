//! Checks the store on a Redis that is flushed, truncated, restored, stopped, killed and failed over: it must never serve a lost state, and must recover.
//!
//! Never: a failure on a server that another test uses; each test has its own (P1, P4, P9).

use std::sync::Arc;
use std::time::Duration;

use voelgoed_app::environment::{Environment as _, new_id};
use voelgoed_app::error::Fault;
use voelgoed_app::ticketing::ports::{CatchUp, InventoryError, InventoryResult, InventoryStore};
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::hold::{HoldRequest, Pick};
use voelgoed_domain::ticketing::place::Epoch;
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_testkit::redis::{RedisCluster, RedisServer};
use voelgoed_testkit::until::until;
use voelgoed_warm::redis::{ClockSource, RedisSettings};

use crate::node::{RECOVERY_TIMEOUT, StoreNode};

fn is_unavailable<T>(answer: &InventoryResult<T>) -> bool {
    matches!(answer, Err(InventoryError::Fault(Fault::Unavailable { .. } | Fault::Ambiguous { .. })))
}

async fn own_server() -> RedisServer {
    RedisServer::start(crate::shared_servers::directory()).await.unwrap()
}

#[tokio::test]
async fn flushed_store_is_unloaded_until_rebuilt() {
    let server = own_server().await;
    let node = StoreNode::new(&server.url());
    node.load(1).await;
    let lost = node.hold(1).await.unwrap();
    server.flush_all().await.unwrap();
    assert!(matches!(node.hold(2).await, Err(InventoryError::Unloaded)));
    node.environment.advance(Duration::from_secs(1));
    node.load(2).await;
    assert_eq!(node.refusal_of(&lost).await, Some(Code::HoldLost));
    node.hold(1).await.unwrap();
}

#[tokio::test]
async fn old_copy_does_not_serve_a_node_that_has_seen_a_newer_position() {
    let server = own_server().await;
    let node = StoreNode::new(&server.url());
    node.load(1).await;
    let keys = server.execute(&["KEYS", "*"]).await.unwrap();
    for key in keys.lines() {
        server.execute(&["COPY", key, &format!("{key}-old")]).await.unwrap();
    }
    let held = node.hold(1).await.unwrap();
    for key in keys.lines() {
        server.execute(&["RENAME", &format!("{key}-old"), key]).await.unwrap();
    }
    server.execute(&["DEL", &node.key("holds"), &node.key("book")]).await.unwrap();
    assert!(node.is_unloaded().await);
    assert!(!node.neighbour().is_unloaded().await, "it is complete, only old");
    node.load(2).await;
    assert!(node.refusal_of(&held).await.is_some());
}

#[tokio::test]
async fn restarted_server_is_unloaded_for_every_node() {
    let server = own_server().await;
    let node = StoreNode::new(&server.url());
    node.load(1).await;
    let saved = node.hold(1).await.unwrap();
    server.save().await.unwrap();
    let lost = node.hold(2).await.unwrap();
    server.kill().unwrap();
    assert!(is_unavailable(&node.hold(3).await));
    server.restart().await.unwrap();
    node.wait_until_reachable().await;
    assert!(node.is_unloaded().await);
    assert!(node.neighbour().is_unloaded().await, "also for a node without a seen position");

    node.environment.advance(Duration::from_secs(1));
    node.load(2).await;
    assert_eq!(node.refusal_of(&saved).await, None);
    assert_eq!(node.refusal_of(&lost).await, Some(Code::HoldLost));
    node.hold(2).await.unwrap();
}

#[tokio::test]
async fn incomplete_store_is_unloaded() {
    let server = own_server().await;
    let node = StoreNode::new(&server.url());
    for (epoch, name) in (1..).zip(["places", "holds", "book", "meta"]) {
        node.load(epoch).await;
        node.hold(u32::try_from(epoch).unwrap()).await.unwrap();
        assert!(!node.is_unloaded().await);
        assert_eq!(server.execute(&["DEL", &node.key(name)]).await.unwrap(), "1");
        assert!(node.is_unloaded().await, "without {name}");
    }
    node.load(5).await;
    // Damage within a key: the holder of a place is missing, a foreign field was added, places are missing.
    for (epoch, damage) in
        (6..).zip([["HDEL", "book", "1", ""], ["HSET", "book", "foreign", "1"], ["SETRANGE", "places", "500", "x"]])
    {
        node.hold(1).await.unwrap();
        let [command, name, field, value] = damage;
        let key = node.key(name);
        let parts = [command, &key, field, value];
        let parts = if value.is_empty() { &parts[..3] } else { &parts[..] };
        server.execute(parts).await.unwrap();
        assert!(node.is_unloaded().await, "after {command} {name}");
        node.load(epoch).await;
    }
    node.load(9).await;
    let snapshot = node.store.snapshot(node.scope).await.unwrap();
    assert_eq!(snapshot.counts[0].total(), 100);
}

#[tokio::test]
async fn script_that_fails_halfway_unloads_its_event() {
    let server = own_server().await;
    let node = StoreNode::new(&server.url());
    node.load(1).await;
    node.hold(1).await.unwrap();
    server.execute(&["DEL", &node.key("log")]).await.unwrap();
    server.execute(&["SET", &node.key("log"), "not a list"]).await.unwrap();
    assert!(matches!(node.hold(2).await, Err(InventoryError::Fault(Fault::Internal(_)))));
    assert!(node.is_unloaded().await, "the partial step is not served");
    node.load(2).await;
    node.hold(2).await.unwrap();
}

#[tokio::test]
async fn library_is_loaded_again_after_the_server_lost_it() {
    let server = own_server().await;
    let node = StoreNode::new(&server.url());
    node.load(1).await;
    server.execute(&["FUNCTION", "FLUSH"]).await.unwrap();
    node.hold(1).await.unwrap();
}

#[tokio::test]
async fn paused_server_is_unavailable_and_resumes_without_loss() {
    let server = own_server().await;
    let node = StoreNode::new(&server.url());
    node.load(1).await;
    let held = node.hold(1).await.unwrap();
    server.pause().unwrap();
    assert!(is_unavailable(&node.hold(2).await));
    assert!(matches!(
        node.store.read_hold(node.scope, held.hold).await,
        Err(InventoryError::Fault(Fault::Unavailable { .. }))
    ));
    server.resume().unwrap();
    node.wait_until_reachable().await;
    assert_eq!(node.refusal_of(&held).await, None, "the same process lost no data");
}

#[tokio::test]
async fn node_receives_signals_of_steps_on_other_nodes() {
    let server = own_server().await;
    let one = StoreNode::new(&server.url());
    one.load(1).await;
    let other = one.neighbour();
    let mut signals = other.store.subscribe();
    let before = other.store.snapshot(other.scope).await.unwrap().position;
    one.hold(7).await.unwrap();
    let moved = tokio::time::timeout(RECOVERY_TIMEOUT, signals.recv()).await.unwrap().unwrap();
    assert_eq!((moved.scope, moved.position.seq), (one.scope, 1));
    let CatchUp::Changes(changes) = other.store.changes_since(other.scope, before).await.unwrap() else {
        panic!("the log contains the step");
    };
    assert_eq!(changes[0].places[0].0, PlaceNumber(7));

    server.kill().unwrap();
    server.restart().await.unwrap();
    one.wait_until_reachable().await;
    one.load(2).await;
    other.wait_until_reachable().await;
    until("signals arrive again", RECOVERY_TIMEOUT, || async {
        // Each read subscribes again if the connection was lost.
        let _ = other.store.snapshot(other.scope).await;
        let held = one.hold(8).await;
        Ok(held.is_ok().then_some(()))
    })
    .await
    .unwrap();
    loop {
        let moved = tokio::time::timeout(RECOVERY_TIMEOUT, signals.recv()).await.unwrap().unwrap();
        if moved.position.epoch == Epoch(2) && moved.position.seq > 0 {
            break;
        }
    }
}

#[tokio::test]
async fn holds_expire_by_the_clock_of_the_server() {
    let server = own_server().await;
    let node = StoreNode::new(&server.url());
    let settings = RedisSettings { clock: ClockSource::Server, ..node.settings.clone() };
    let node = StoreNode::with(settings, Arc::clone(&node.environment), node.scope);
    node.load(1).await;
    let request = HoldRequest {
        expected_version: 1,
        address: None,
        places_per_address: u32::MAX,
        hold: new_id(&*node.environment),
        session: new_id(&*node.environment),
        picks: vec![Pick::Place(PlaceNumber(0))],
        terms: String::new(),
        lasts_millis: 100,
        places_per_session: 1,
    };
    node.store.hold(node.scope, request).await.unwrap();
    until("the hold is freed", RECOVERY_TIMEOUT, || async {
        Ok((node.store.free_expired_holds(100).await.unwrap() == 1).then_some(()))
    })
    .await
    .unwrap();
    node.hold(0).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promoted_replica_is_unloaded_until_rebuilt() {
    let cluster = RedisCluster::start(crate::shared_servers::directory()).await.unwrap();
    let node = StoreNode::new(&cluster.url());
    node.load(1).await;
    let held = node.hold(1).await.unwrap();
    let key = node.key("meta");
    let old = cluster.master_of(&key).await.unwrap();
    old.replica_caught_up().await.unwrap();
    old.kill().unwrap();
    assert!(is_unavailable(&node.hold(2).await));
    cluster.wait_for_failover(&key, old).await.unwrap();
    node.wait_until_reachable().await;
    assert!(node.is_unloaded().await);
    let neighbour = node.neighbour();
    neighbour.wait_until_reachable().await;
    assert!(neighbour.is_unloaded().await);

    node.environment.advance(Duration::from_secs(1));
    node.load(2).await;
    assert_eq!(node.refusal_of(&held).await, None, "a hold that was replicated survives");
    node.hold(2).await.unwrap();
    old.restart().await.unwrap();
    node.hold(3).await.unwrap();
    let now = node.environment.now();
    assert!(now < held.expires_at);
}
