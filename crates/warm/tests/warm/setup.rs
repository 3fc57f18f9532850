//! What the servers say about themselves, and what is complained about.

use voelgoed_testkit::redis::RedisServer;
use voelgoed_warm::redis::RedisWarm;

use std::sync::Arc;

use voelgoed_app::ticketing::ports::InventoryStore as _;
use voelgoed_contracts::subject::TestEnvironment;

use crate::broken::Node;

fn node(url: &str) -> RedisWarm {
    RedisWarm::open(crate::servers::settings(url), Arc::new(TestEnvironment::default()))
}

#[tokio::test]
async fn a_server_that_would_lose_holds_is_complained_about() {
    let server = RedisServer::start(crate::servers::directory()).await.unwrap();
    let node = node(&server.url());
    let [state] = node.look().await.unwrap().try_into().unwrap();
    assert_eq!((state.address.as_str(), state.policy.as_str()), (server.address().as_str(), "noeviction"));
    assert_eq!(state.complaints(), Vec::<String>::new());
    server.ask(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "min-replicas-to-write", "1"]).await.unwrap();
    let [state] = node.look().await.unwrap().try_into().unwrap();
    let complaints = state.complaints();
    assert_eq!(complaints.len(), 2, "{complaints:?}");
    server.kill().unwrap();
    assert!(node.look().await.is_err());
}

#[tokio::test]
async fn every_master_of_a_cluster_is_looked_at() {
    let cluster = crate::servers::cluster().await;
    let states = node(&cluster.url()).look().await.unwrap();
    assert_eq!(states.len(), 3);
    for state in states {
        assert_eq!((state.replicas.as_str(), state.cluster_state.as_str()), ("1", "ok"));
        assert!(state.complaints().iter().all(|complaint| complaint.contains("min-replicas-to-write")), "{state:?}");
    }
}

#[tokio::test]
async fn the_rights_of_the_manual_are_enough_to_look_and_for_a_cluster() {
    let [state] = node(&crate::servers::restricted().await).look().await.unwrap().try_into().unwrap();
    assert_eq!(state.policy, "noeviction", "shown to the user");
    let node = Node::new(&crate::servers::restricted_cluster().await);
    node.load(1).await;
    node.hold(1).await.unwrap();
    assert_eq!(node.store.loaded().await.unwrap(), [node.scope]);
    assert!(node.store.look().await.unwrap().iter().all(|state| state.cluster_state == "ok"));
}
