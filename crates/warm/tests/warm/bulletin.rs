//! The way between nodes, interrupted: whoever listened learns of it, and finds the way again when the server is back.

use std::sync::Arc;
use std::time::Duration;

use voelgoed_app::environment::Environment;
use voelgoed_app::outbox::cluster_bus::ClusterBus;
use voelgoed_contracts::bulletin::a_notice;
use voelgoed_contracts::subject::TestEnvironment;
use voelgoed_testkit::redis::RedisServer;
use voelgoed_testkit::until::until;
use voelgoed_warm::redis::RedisWarm;

use crate::servers;

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_listener_whose_server_is_killed_learns_of_it_and_listens_anew() {
    let server = RedisServer::start(servers::directory()).await.unwrap();
    let environment = Arc::new(TestEnvironment::default());
    let store = RedisWarm::open(servers::settings(&server.url()), Arc::clone(&environment) as _);
    let mut notices = store.listen().await.unwrap();
    server.kill().unwrap();
    let end = tokio::time::timeout(SOON, notices.heard.recv()).await;
    assert_eq!(end.expect("the listener learns of it"), None);
    assert!(store.tell(&a_notice(&environment, environment.uuid())).await.is_err(), "nobody can be told");
    server.rise().await.unwrap();
    let mut notices = until("the way is found again", SOON, || async { Ok(store.listen().await.ok()) }).await.unwrap();
    let notice = a_notice(&environment, environment.uuid());
    until("it can be told again", SOON, || async { Ok(store.tell(&notice).await.ok()) }).await.unwrap();
    let heard = tokio::time::timeout(SOON, notices.heard.recv()).await;
    assert_eq!(heard.expect("it is heard"), Some(notice));
}
