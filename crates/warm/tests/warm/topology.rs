//! Checks that the topology report names wrong settings of every master, with no more rights than `deploy/README.md` grants.

use std::sync::Arc;

use voelgoed_app::ticketing::ports::InventoryStore as _;
use voelgoed_contracts::sut::TestEnvironment;
use voelgoed_testkit::redis::RedisServer;
use voelgoed_warm::redis::RedisWarm;

use crate::node::StoreNode;

fn node(url: &str) -> RedisWarm {
    RedisWarm::open(crate::shared_servers::settings(url), Arc::new(TestEnvironment::default()))
}

#[tokio::test]
async fn settings_that_could_lose_holds_are_reported() {
    let server = RedisServer::start(crate::shared_servers::directory()).await.unwrap();
    let node = node(&server.url());
    let [state] = node.topology().await.unwrap().try_into().unwrap();
    assert_eq!((state.address.as_str(), state.policy.as_str()), (server.address().as_str(), "noeviction"));
    assert_eq!(state.problems(), Vec::<String>::new());
    server.execute(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "min-replicas-to-write", "1"]).await.unwrap();
    let [state] = node.topology().await.unwrap().try_into().unwrap();
    let problems = state.problems();
    assert_eq!(problems.len(), 2, "{problems:?}");
    server.kill().unwrap();
    assert!(node.topology().await.is_err());
}

#[tokio::test]
async fn every_master_of_a_cluster_is_reported() {
    let cluster = crate::shared_servers::cluster().await;
    let states = node(&cluster.url()).topology().await.unwrap();
    assert_eq!(states.len(), 3);
    for state in states {
        assert_eq!((state.replicas.as_str(), state.cluster_state.as_str()), ("1", "ok"));
        assert!(state.problems().iter().all(|problem| problem.contains("min-replicas-to-write")), "{state:?}");
    }
}

#[tokio::test]
async fn documented_acl_rule_suffices_for_topology_and_cluster() {
    let [state] = node(&crate::shared_servers::restricted().await).topology().await.unwrap().try_into().unwrap();
    assert_eq!(state.policy, "noeviction", "readable by that user");
    let node = StoreNode::new(&crate::shared_servers::restricted_cluster().await);
    node.load(1).await;
    node.hold(1).await.unwrap();
    assert_eq!(node.store.loaded_events().await.unwrap(), [node.scope]);
    assert!(node.store.topology().await.unwrap().iter().all(|state| state.cluster_state == "ok"));
}
