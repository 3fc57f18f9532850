//! Tests bulkheads and timeouts (P9): work of organizers cannot use up the sale's connections, and every wait ends.

use std::time::Duration;

use voelgoed_cold::db::{DbError, PostgresSettings, Sql, sql};
use voelgoed_contracts::sales_fixture::SalesFixture;

use crate::server;

const SLEEP: Sql = sql("test.sleep", "select cast(1 as bigint) from pg_sleep(30)");
const LOCK: Sql = sql("test.lock", "select state from orders {for_update}");
const LOCK_LAST: Sql = sql("test.lock_last", "select state from orders order by id desc limit 1 {for_update}");
const LOCK_FIRST: Sql = sql("test.lock_first", "select state from orders order by id limit 1 {for_update}");

fn short(settings: PostgresSettings) -> PostgresSettings {
    let moment = Duration::from_millis(300);
    PostgresSettings {
        statement_timeout: moment * 8,
        lock_timeout: moment,
        acquire_timeout: moment * 8,
        desk_connections: 2,
        ..settings
    }
}

async fn shop() -> SalesFixture<voelgoed_cold::Cold> {
    let postgres = server::shared().await;
    let database = server::database(postgres);
    SalesFixture::open(server::open_with(&short(server::settings(postgres, &database))).await).await
}

#[tokio::test]
async fn busy_desk_pool_does_not_block_the_sale() {
    let shop = shop().await;
    let desk = shop.store().db();
    let busy = (desk.begin(shop.organization).await.unwrap(), desk.begin(shop.organization).await.unwrap());
    assert!(matches!(desk.begin(shop.organization).await, Err(DbError::Unavailable(_))), "the desk pool is used up");
    shop.placed_order(&[1]).await;
    drop(busy);
    shop.paid_order(&[2]).await;
}

#[tokio::test]
async fn slow_statement_and_locked_row_time_out() {
    let shop = shop().await;
    shop.placed_order(&[1]).await;
    let db = shop.store().db();
    let slow = db.fetch_all::<(i64,)>(shop.organization, SLEEP, vec![]).await;
    assert!(matches!(slow, Err(DbError::Unavailable(_))), "{slow:?}");
    let mut first = db.begin(shop.organization).await.unwrap();
    first.fetch_all::<(String,)>(LOCK, vec![]).await.unwrap();
    let mut second = db.begin(shop.organization).await.unwrap();
    let locked = second.fetch_all::<(String,)>(LOCK, vec![]).await;
    assert!(matches!(locked, Err(DbError::Unavailable(_))), "{locked:?}");
    drop((first, second));
    // Both connections are usable again.
    shop.paid_order(&[2]).await;
    assert_eq!(db.fetch_all::<(String,)>(shop.organization, LOCK_PLAIN, vec![]).await.unwrap().len(), 2);
}

const LOCK_PLAIN: Sql = sql("test.states", "select state from orders");

#[tokio::test]
async fn deadlock_is_a_serialization_error() {
    let postgres = server::shared().await;
    let database = server::database(postgres);
    let patient = PostgresSettings { lock_timeout: Duration::from_secs(20), ..server::settings(postgres, &database) };
    let shop = SalesFixture::open(
        server::open_with(&PostgresSettings { statement_timeout: patient.lock_timeout, ..patient }).await,
    )
    .await;
    shop.placed_order(&[1]).await;
    shop.placed_order(&[2]).await;
    let db = shop.store().db();
    let mut one = db.begin(shop.organization).await.unwrap();
    let mut other = db.begin(shop.organization).await.unwrap();
    one.fetch_all::<(String,)>(LOCK_FIRST, vec![]).await.unwrap();
    other.fetch_all::<(String,)>(LOCK_LAST, vec![]).await.unwrap();
    // The refused transaction releases its lock, so that the other one proceeds.
    let one = async {
        let result = one.fetch_all::<(String,)>(LOCK_LAST, vec![]).await.map(drop);
        one.rollback().await.unwrap();
        result
    };
    let other = async {
        let result = other.fetch_all::<(String,)>(LOCK_FIRST, vec![]).await.map(drop);
        other.rollback().await.unwrap();
        result
    };
    let result = tokio::join!(one, other);
    let refused = match result {
        (Ok(()), Err(error)) | (Err(error), Ok(())) => error,
        other => panic!("one transaction proceeds: {other:?}"),
    };
    assert!(matches!(refused, DbError::Serialization(_)), "{refused:?}");
}
