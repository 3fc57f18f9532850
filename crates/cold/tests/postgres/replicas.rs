//! Tests reads from a real streaming replica: within the lag limit, after the reader's own write, and without the primary.

use std::time::Duration;

use voelgoed_app::catalog::ports::CatalogStore;
use voelgoed_app::checkout::ports::OrderStore;
use voelgoed_app::payments::ports::PaymentStore;
use voelgoed_cold::Cold;
use voelgoed_cold::db::PostgresSettings;
use voelgoed_contracts::sales_fixture::SalesFixture;
use voelgoed_resilience::{Capabilities, Dependency, DependencyHealth};
use voelgoed_testkit::postgres::Postgres;
use voelgoed_testkit::until::until;

use crate::server;

const WAIT_TIMEOUT: Duration = Duration::from_secs(30);

struct Fixture {
    primary: Postgres,
    replica: Postgres,
    database: String,
    shop: SalesFixture<Cold>,
}

impl Fixture {
    async fn open() -> Self {
        let primary = Postgres::start().await.unwrap();
        server::prepare(&primary).await;
        let database = server::database(&primary);
        let replica = primary.replica("follower").await.unwrap();
        let settings = PostgresSettings {
            replicas: vec![replica.url(&database)],
            replica_lag_max: Duration::from_millis(500),
            statement_timeout: Duration::from_secs(2),
            ..server::settings(&primary, &database)
        };
        let shop = SalesFixture::open(server::open_with(&settings).await).await;
        Self { primary, replica, database, shop }
    }

    /// The number of listed orders.
    async fn listed(&self) -> usize {
        self.shop.store().orders(self.shop.organization, None, server::page(100)).await.unwrap().items.len()
    }

    /// True once the replica has served a read.
    fn has_served(&self) -> bool {
        let readers = "select count(*) from pg_stat_activity where application_name = 'voelgoed reports' and query like '%rollback%'";
        self.replica.sql(&self.database, readers).unwrap() != "0"
    }
}

#[tokio::test]
async fn list_is_read_from_the_replica_after_replay_of_the_readers_write() {
    let fixture = Fixture::open().await;
    for number in 1..=5 {
        fixture.shop.placed_order(&[number]).await;
        assert_eq!(fixture.listed().await, number as usize, "read what was written");
    }
    let from_replica = || async {
        assert_eq!(fixture.listed().await, 5);
        Ok(fixture.has_served().then_some(()))
    };
    until("the replica serves", WAIT_TIMEOUT, from_replica).await.unwrap();
}

#[tokio::test]
async fn replica_with_paused_replay_is_not_read() {
    let fixture = Fixture::open().await;
    fixture.shop.placed_order(&[1]).await;
    fixture.replica.sql(&fixture.database, "select pg_wal_replay_pause()").unwrap();
    fixture.shop.placed_order(&[2]).await;
    // The writer sees its write at once and in every later read.
    for _ in 0..5 {
        assert_eq!(fixture.listed().await, 2);
    }
    fixture.replica.sql(&fixture.database, "select pg_wal_replay_resume()").unwrap();
    let again = || async {
        assert_eq!(fixture.listed().await, 2);
        Ok(fixture.has_served().then_some(()))
    };
    until("the replica serves again", WAIT_TIMEOUT, again).await.unwrap();
}

#[tokio::test]
async fn display_reads_work_and_sales_stop_without_the_primary() {
    let mut fixture = Fixture::open().await;
    let (order, payment) = fixture.shop.placed_order(&[1]).await;
    let capabilities = Capabilities::new();
    fixture.shop.store().report_health_to(capabilities.clone());
    let followed = || async {
        let rows = fixture.replica.sql(&fixture.database, "select count(*) from orders").unwrap();
        Ok((rows == "1").then_some(()))
    };
    until("the replica has the order", WAIT_TIMEOUT, followed).await.unwrap();
    fixture.primary.kill().await.unwrap();
    assert_eq!(fixture.listed().await, 1);
    let (store, organization) = (fixture.shop.store(), fixture.shop.organization);
    for wanted in [2, 3, 4] {
        let refused = store.place_order(organization, fixture.shop.new_order(&[wanted])).await;
        assert!(refused.is_err(), "{refused:?}");
    }
    assert_eq!(capabilities.health(Dependency::Cold), DependencyHealth::ReplicaOnly, "writes fail, reads work");
    assert_eq!(store.read_order(organization, order).await.unwrap().unwrap().order.id, order, "shown to its buyer");
    assert!(store.organization_of(fixture.shop.event).await.is_ok(), "directory look-up");
    let decides = store.read_attempt(organization, payment).await;
    assert!(decides.is_err(), "rows that decide a charge are not read from a replica: {decides:?}");
    let health = |wanted| {
        let (store, capabilities) = (store.clone(), capabilities.clone());
        async move {
            until("the health", WAIT_TIMEOUT, || async {
                let _reported_as_health = store.probe().await;
                Ok((capabilities.health(Dependency::Cold) == wanted).then_some(()))
            })
            .await
        }
    };
    fixture.replica.kill().await.unwrap();
    health(DependencyHealth::Down).await.unwrap();
    fixture.replica.restart().await.unwrap();
    health(DependencyHealth::ReplicaOnly).await.unwrap();
    fixture.primary.restart().await.unwrap();
    health(DependencyHealth::Up).await.unwrap();
    let order = fixture.shop.new_order(&[3]);
    fixture.shop.place_order(&order).await;
    assert_eq!(fixture.listed().await, 2);
}

#[tokio::test]
async fn primary_serves_lists_while_the_replica_is_down() {
    let mut fixture = Fixture::open().await;
    fixture.shop.placed_order(&[1]).await;
    fixture.listed().await;
    fixture.replica.kill().await.unwrap();
    fixture.shop.placed_order(&[2]).await;
    assert_eq!(fixture.listed().await, 2);
}
