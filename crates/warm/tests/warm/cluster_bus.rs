//! Checks that a subscription of the cluster bus ends with its server, and can be renewed when the server is back.

use std::sync::Arc;
use std::time::Duration;

use voelgoed_app::environment::Environment;
use voelgoed_app::outbox::cluster_bus::ClusterBus;
use voelgoed_contracts::cluster_bus::new_message;
use voelgoed_contracts::sut::TestEnvironment;
use voelgoed_testkit::redis::RedisServer;
use voelgoed_testkit::until::until;
use voelgoed_warm::redis::RedisWarm;

use crate::shared_servers;

const RECOVERY_TIMEOUT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn subscription_ends_with_its_server_and_can_be_renewed() {
    let server = RedisServer::start(shared_servers::directory()).await.unwrap();
    let environment = Arc::new(TestEnvironment::default());
    let store = RedisWarm::open(shared_servers::settings(&server.url()), Arc::clone(&environment) as _);
    let mut messages = store.subscribe().await.unwrap();
    server.kill().unwrap();
    let end = tokio::time::timeout(RECOVERY_TIMEOUT, messages.receiver.recv()).await;
    assert_eq!(end.expect("the subscription ends"), None);
    assert!(store.publish(&new_message(&environment, environment.uuid())).await.is_err(), "publishing fails");
    server.restart().await.unwrap();
    let mut messages =
        until("the subscription is renewed", RECOVERY_TIMEOUT, || async { Ok(store.subscribe().await.ok()) })
            .await
            .unwrap();
    let notice = new_message(&environment, environment.uuid());
    until("publishing works again", RECOVERY_TIMEOUT, || async { Ok(store.publish(&notice).await.ok()) })
        .await
        .unwrap();
    let received = tokio::time::timeout(RECOVERY_TIMEOUT, messages.receiver.recv()).await;
    assert_eq!(received.expect("the message arrives"), Some(notice));
}
