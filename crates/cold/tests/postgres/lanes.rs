//! Bulkheads and limits (P9): what organizers do cannot take the sale's connections, and no wait is without an end.

use std::time::Duration;

use voelgoed_cold::db::{Error, PostgresSettings, Sql, sql};
use voelgoed_contracts::selling::Shop;

use crate::server;

const SLEEP: Sql = sql("test.sleep", "select cast(1 as bigint) from pg_sleep(30)");
const LOCK: Sql = sql("test.lock", "select state from orders {for_update}");
const LOCK_LAST: Sql = sql("test.lock_last", "select state from orders order by id desc limit 1 {for_update}");
const LOCK_FIRST: Sql = sql("test.lock_first", "select state from orders order by id limit 1 {for_update}");

fn short(settings: PostgresSettings) -> PostgresSettings {
    let moment = Duration::from_millis(300);
    PostgresSettings { statement: moment * 8, lock: moment, acquire: moment * 8, desk_connections: 2, ..settings }
}

async fn shop() -> Shop<voelgoed_cold::Cold> {
    let postgres = server::shared().await;
    let database = server::database(postgres);
    Shop::open(server::open_with(&short(server::settings(postgres, &database))).await).await
}

#[tokio::test]
async fn a_desk_that_is_busy_does_not_stop_the_sale() {
    let shop = shop().await;
    let desk = shop.store().db();
    let busy = (desk.begin(shop.organization).await.unwrap(), desk.begin(shop.organization).await.unwrap());
    assert!(matches!(desk.begin(shop.organization).await, Err(Error::Away(_))), "the desk has no more connections");
    shop.ordered(&[1]).await;
    drop(busy);
    shop.paid(&[2]).await;
}

#[tokio::test]
async fn a_statement_and_a_lock_are_given_up_in_time() {
    let shop = shop().await;
    shop.ordered(&[1]).await;
    let db = shop.store().db();
    let slow = db.fetch_all::<(i64,)>(shop.organization, SLEEP, vec![]).await;
    assert!(matches!(slow, Err(Error::Away(_))), "{slow:?}");
    let mut first = db.begin(shop.organization).await.unwrap();
    first.fetch_all::<(String,)>(LOCK, vec![]).await.unwrap();
    let mut second = db.begin(shop.organization).await.unwrap();
    let locked = second.fetch_all::<(String,)>(LOCK, vec![]).await;
    assert!(matches!(locked, Err(Error::Away(_))), "{locked:?}");
    drop((first, second));
    // Both connections are whole again.
    shop.paid(&[2]).await;
    assert_eq!(db.fetch_all::<(String,)>(shop.organization, LOCK_PLAIN, vec![]).await.unwrap().len(), 2);
}

const LOCK_PLAIN: Sql = sql("test.states", "select state from orders");

#[tokio::test]
async fn a_deadlock_is_told_as_one_so_that_it_is_repeated() {
    let postgres = server::shared().await;
    let database = server::database(postgres);
    let patient = PostgresSettings { lock: Duration::from_secs(20), ..server::settings(postgres, &database) };
    let shop = Shop::open(server::open_with(&PostgresSettings { statement: patient.lock, ..patient }).await).await;
    shop.ordered(&[1]).await;
    shop.ordered(&[2]).await;
    let db = shop.store().db();
    let mut one = db.begin(shop.organization).await.unwrap();
    let mut other = db.begin(shop.organization).await.unwrap();
    one.fetch_all::<(String,)>(LOCK_FIRST, vec![]).await.unwrap();
    other.fetch_all::<(String,)>(LOCK_LAST, vec![]).await.unwrap();
    // Who is refused lets go of its own, so that the other one goes on.
    let one = async {
        let met = one.fetch_all::<(String,)>(LOCK_LAST, vec![]).await.map(drop);
        one.rollback().await.unwrap();
        met
    };
    let other = async {
        let met = other.fetch_all::<(String,)>(LOCK_FIRST, vec![]).await.map(drop);
        other.rollback().await.unwrap();
        met
    };
    let met = tokio::join!(one, other);
    let refused = match met {
        (Ok(()), Err(error)) | (Err(error), Ok(())) => error,
        other => panic!("one of them goes on: {other:?}"),
    };
    assert!(matches!(refused, Error::Serialization(_)), "{refused:?}");
}
