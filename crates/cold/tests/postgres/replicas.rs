//! Heavy reads on a real streaming replica: only while it is near enough, never before one's own write, and alone where the primary is gone.

use std::time::Duration;

use voelgoed_app::catalog::ports::CatalogStore;
use voelgoed_app::checkout::ports::OrderStore;
use voelgoed_app::payments::ports::PaymentStore;
use voelgoed_cold::Cold;
use voelgoed_cold::db::PostgresSettings;
use voelgoed_contracts::selling::Shop;
use voelgoed_resilience::{Capabilities, Dependency, Health};
use voelgoed_testkit::postgres::Postgres;
use voelgoed_testkit::until::until;

use crate::server;

const SOON: Duration = Duration::from_secs(30);

struct Bench {
    primary: Postgres,
    replica: Postgres,
    database: String,
    shop: Shop<Cold>,
}

impl Bench {
    async fn open() -> Self {
        let primary = Postgres::start().await.unwrap();
        server::prepare(&primary).await;
        let database = server::database(&primary);
        let replica = primary.replica("follower").await.unwrap();
        let settings = PostgresSettings {
            replicas: vec![replica.url(&database)],
            most_lag: Duration::from_millis(500),
            statement: Duration::from_secs(2),
            ..server::settings(&primary, &database)
        };
        let shop = Shop::open(server::open_with(&settings).await).await;
        Self { primary, replica, database, shop }
    }

    /// How many orders a list shows.
    async fn listed(&self) -> usize {
        self.shop.store().orders(self.shop.organization, None, server::page(100)).await.unwrap().items.len()
    }

    /// How many transactions the replica has ended for readers: its own count, which grows with those that it serves.
    fn served(&self) -> bool {
        let readers = "select count(*) from pg_stat_activity where application_name = 'voelgoed reports' and query like '%rollback%'";
        self.replica.sql(&self.database, readers).unwrap() != "0"
    }
}

#[tokio::test]
async fn a_list_comes_from_the_replica_once_it_holds_ones_own_write() {
    let bench = Bench::open().await;
    for number in 1..=5 {
        bench.shop.ordered(&[number]).await;
        assert_eq!(bench.listed().await, number as usize, "read what was written");
    }
    let from_replica = || async {
        assert_eq!(bench.listed().await, 5);
        Ok(bench.served().then_some(()))
    };
    until("the replica serves", SOON, from_replica).await.unwrap();
}

#[tokio::test]
async fn a_replica_whose_replay_stands_still_is_not_asked() {
    let bench = Bench::open().await;
    bench.shop.ordered(&[1]).await;
    bench.replica.sql(&bench.database, "select pg_wal_replay_pause()").unwrap();
    bench.shop.ordered(&[2]).await;
    // The one who wrote sees it at once, and goes on seeing it.
    for _ in 0..5 {
        assert_eq!(bench.listed().await, 2);
    }
    bench.replica.sql(&bench.database, "select pg_wal_replay_resume()").unwrap();
    let again = || async {
        assert_eq!(bench.listed().await, 2);
        Ok(bench.served().then_some(()))
    };
    until("the replica serves again", SOON, again).await.unwrap();
}

#[tokio::test]
async fn without_the_primary_what_decides_nothing_is_read_and_nothing_is_sold() {
    let mut bench = Bench::open().await;
    let (order, payment) = bench.shop.ordered(&[1]).await;
    let capabilities = Capabilities::new();
    bench.shop.store().report_to(capabilities.clone());
    let followed = || async {
        let rows = bench.replica.sql(&bench.database, "select count(*) from orders").unwrap();
        Ok((rows == "1").then_some(()))
    };
    until("the replica has the order", SOON, followed).await.unwrap();
    bench.primary.kill().await.unwrap();
    assert_eq!(bench.listed().await, 1);
    let (store, organization) = (bench.shop.store(), bench.shop.organization);
    for wanted in [2, 3, 4] {
        let refused = store.place_order(organization, bench.shop.an_order(&[wanted])).await;
        assert!(refused.is_err(), "{refused:?}");
    }
    assert_eq!(capabilities.health(Dependency::Cold), Health::ReplicaOnly, "nothing is written, something is read");
    assert_eq!(store.read_order(organization, order).await.unwrap().unwrap().order.id, order, "shown to its buyer");
    assert!(store.organization_of(bench.shop.event).await.is_ok(), "looked up in the directory");
    let decides = store.read_attempt(organization, payment).await;
    assert!(decides.is_err(), "what a charge is decided by is not read from a replica: {decides:?}");
    let health = |wanted| {
        let (store, capabilities) = (store.clone(), capabilities.clone());
        async move {
            until("the health", SOON, || async {
                let _how_it_went_is_reported = store.pulse().await;
                Ok((capabilities.health(Dependency::Cold) == wanted).then_some(()))
            })
            .await
        }
    };
    bench.replica.kill().await.unwrap();
    health(Health::Down).await.unwrap();
    bench.replica.rise().await.unwrap();
    health(Health::ReplicaOnly).await.unwrap();
    bench.primary.rise().await.unwrap();
    health(Health::Up).await.unwrap();
    let order = bench.shop.an_order(&[3]);
    bench.shop.place(&order).await;
    assert_eq!(bench.listed().await, 2);
}

#[tokio::test]
async fn without_its_replica_the_primary_answers() {
    let mut bench = Bench::open().await;
    bench.shop.ordered(&[1]).await;
    bench.listed().await;
    bench.replica.kill().await.unwrap();
    bench.shop.ordered(&[2]).await;
    assert_eq!(bench.listed().await, 2);
}
