//! Tests a killed and a frozen Postgres: acknowledged orders survive (P3), other calls fail as unavailable, and the store recovers by itself.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use voelgoed_app::checkout::ports::OrderStore;
use voelgoed_app::error::{Dependency, Fault};
use voelgoed_cold::db::PostgresSettings;
use voelgoed_contracts::sales_fixture::SalesFixture;
use voelgoed_domain::refusal::Code;
use voelgoed_testkit::postgres::Postgres;
use voelgoed_testkit::until::until;

use crate::server;

const RECOVERY_TIMEOUT: Duration = Duration::from_secs(20);

async fn own_server() -> (Postgres, SalesFixture<voelgoed_cold::Cold>) {
    let postgres = Postgres::start().await.unwrap();
    server::prepare(&postgres).await;
    let database = server::database(&postgres);
    let limit = Duration::from_secs(1);
    let quick = PostgresSettings {
        statement_timeout: limit,
        lock_timeout: limit,
        acquire_timeout: limit,
        ..server::settings(&postgres, &database)
    };
    let shop = SalesFixture::open(server::open_with(&quick).await).await;
    (postgres, shop)
}

fn is_unavailable<T: std::fmt::Debug>(result: &Result<T, Fault>) -> bool {
    matches!(result, Err(Fault::Unavailable { dependency: Dependency::Cold, .. }))
}

#[tokio::test]
async fn frozen_server_is_unavailable_until_it_is_thawed() {
    let (postgres, shop) = own_server().await;
    let (order, _) = shop.placed_order(&[1]).await;
    postgres.freeze().unwrap();
    let refused = shop.new_order(&[2]);
    let result = shop.store().place_order(shop.organization, refused.clone()).await;
    assert!(is_unavailable(&result), "{result:?}");
    let result = shop.store().read_order(shop.organization, order).await;
    assert!(is_unavailable(&result), "{result:?}");
    postgres.thaw().unwrap();
    let read = || async { Ok(shop.store().read_order(shop.organization, order).await.ok().flatten()) };
    until("the order is read again", RECOVERY_TIMEOUT, read).await.unwrap();
    // The refused order was not written, and can be placed now.
    assert!(shop.store().read_order(shop.organization, refused.id).await.unwrap().is_none());
    shop.place_order(&refused).await;
}

#[tokio::test]
async fn acknowledged_orders_survive_a_crash_of_the_server() {
    let (mut postgres, shop) = own_server().await;
    let orders: Vec<_> = (0..400).map(|place| shop.new_order(&[place])).collect();
    let ((), result) = tokio::join!(
        async {
            let placed = || async {
                let page = shop.store().orders(shop.organization, None, server::page(1)).await;
                Ok(page.ok().and_then(|page| page.items.into_iter().next()))
            };
            until("the first order", RECOVERY_TIMEOUT, placed).await.unwrap();
            postgres.kill().await.unwrap();
        },
        join_all(orders.iter().map(|order| shop.store().place_order(shop.organization, order.clone()))),
    );
    postgres.restart().await.unwrap();
    for (order, result) in orders.iter().zip(&result) {
        let read = || async { Ok(shop.store().read_order(shop.organization, order.id).await.ok()) };
        let found = until("orders are read again", RECOVERY_TIMEOUT, read).await.unwrap();
        match result {
            Ok(Ok(_)) => assert!(found.is_some(), "an acknowledged order exists"),
            Ok(Err(refusal)) => panic!("no other order wants its place: {refusal:?}"),
            Err(Fault::Unavailable { .. }) => assert!(found.is_none(), "a failed order does not exist"),
            Err(Fault::Ambiguous { .. }) => {}
            Err(fault) => panic!("{fault:?}"),
        }
    }
}

/// Enough orders for two concurrent transactions, with overlapping places within and between them; Postgres rejects one order.
#[tokio::test]
async fn rejected_order_affects_no_other_order_of_its_batch() {
    let shop = SalesFixture::open(server::open().await).await;
    let mut orders: Vec<_> = (0..64).map(|at| shop.new_order(&[at % 40, at % 40 + 1])).collect();
    orders[20] = shop.new_order(&[90]);
    orders[20].buyer.name = "\0".into();
    let result = join_all(orders.iter().map(|order| shop.store().place_order(shop.organization, order.clone()))).await;
    let mut sold = BTreeSet::new();
    for order in orders.iter().zip(&result).filter_map(|(order, result)| matches!(result, Ok(Ok(_))).then_some(order)) {
        assert!(order.lines.iter().all(|line| sold.insert(line.place)), "a place was sold twice");
    }
    for (at, (order, result)) in orders.iter().zip(&result).enumerate() {
        match result {
            Ok(Ok(_)) => {}
            Ok(Err(refusal)) => {
                assert_eq!(refusal.code, Code::PlaceTaken);
                let taken = &refusal.evidence.places;
                assert!(!taken.is_empty() && taken.iter().all(|place| sold.contains(place)), "{at}: {refusal:?}");
            }
            Err(fault) => assert!(at == 20 && matches!(fault, Fault::Internal(_)), "{at}: {fault:?}"),
        }
        let read = shop.store().read_order(shop.organization, order.id).await.unwrap();
        assert_eq!(read.is_some(), matches!(result, Ok(Ok(_))), "{at}");
    }
    assert!(result[20].is_err());
}
