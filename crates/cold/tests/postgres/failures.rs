//! A server that is killed, or that keeps silent: what was answered is there afterwards (P3), what was not is told as away, and all goes on by itself.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use voelgoed_app::checkout::ports::OrderStore;
use voelgoed_app::error::{Dependency, Fault};
use voelgoed_cold::db::PostgresSettings;
use voelgoed_contracts::selling::Shop;
use voelgoed_domain::refusal::Code;
use voelgoed_testkit::postgres::Postgres;
use voelgoed_testkit::until::until;

use crate::server;

const SOON: Duration = Duration::from_secs(20);

async fn own_server() -> (Postgres, Shop<voelgoed_cold::Cold>) {
    let postgres = Postgres::start().await.unwrap();
    server::prepare(&postgres).await;
    let database = server::database(&postgres);
    let limit = Duration::from_secs(1);
    let quick =
        PostgresSettings { statement: limit, lock: limit, acquire: limit, ..server::settings(&postgres, &database) };
    let shop = Shop::open(server::open_with(&quick).await).await;
    (postgres, shop)
}

fn is_away<T: std::fmt::Debug>(told: &Result<T, Fault>) -> bool {
    matches!(told, Err(Fault::Away { dependency: Dependency::Cold, .. }))
}

#[tokio::test]
async fn a_silent_server_is_away_and_back_when_it_speaks() {
    let (postgres, shop) = own_server().await;
    let (order, _) = shop.ordered(&[1]).await;
    postgres.freeze().unwrap();
    let refused = shop.an_order(&[2]);
    let told = shop.store().place_order(shop.organization, refused.clone()).await;
    assert!(is_away(&told), "{told:?}");
    let told = shop.store().read_order(shop.organization, order).await;
    assert!(is_away(&told), "{told:?}");
    postgres.thaw().unwrap();
    let read = || async { Ok(shop.store().read_order(shop.organization, order).await.ok().flatten()) };
    until("the order is read again", SOON, read).await.unwrap();
    // What was refused was not done, and can be done now.
    assert!(shop.store().read_order(shop.organization, refused.id).await.unwrap().is_none());
    shop.place(&refused).await;
}

#[tokio::test]
async fn what_was_answered_before_a_crash_is_there_after_it() {
    let (mut postgres, shop) = own_server().await;
    let orders: Vec<_> = (0..400).map(|place| shop.an_order(&[place])).collect();
    let ((), told) = tokio::join!(
        async {
            let placed = || async {
                let page = shop.store().orders(shop.organization, None, server::page(1)).await;
                Ok(page.ok().and_then(|page| page.items.into_iter().next()))
            };
            until("the first order", SOON, placed).await.unwrap();
            postgres.kill().await.unwrap();
        },
        join_all(orders.iter().map(|order| shop.store().place_order(shop.organization, order.clone()))),
    );
    postgres.rise().await.unwrap();
    for (order, told) in orders.iter().zip(&told) {
        let read = || async { Ok(shop.store().read_order(shop.organization, order.id).await.ok()) };
        let found = until("orders are read again", SOON, read).await.unwrap();
        match told {
            Ok(Ok(_)) => assert!(found.is_some(), "an order that was answered is there"),
            Ok(Err(refusal)) => panic!("nobody else wants its place: {refusal:?}"),
            Err(Fault::Away { .. }) => assert!(found.is_none(), "an order that was not done is not there"),
            Err(Fault::Ambiguous { .. }) => {}
            Err(fault) => panic!("{fault:?}"),
        }
    }
}

/// As many orders as are written by two transactions at once, for places that overlap within them and between them; one of them no server takes.
#[tokio::test]
async fn one_bad_order_among_many_at_once_harms_nobody() {
    let shop = Shop::open(server::open().await).await;
    let mut orders: Vec<_> = (0..64).map(|at| shop.an_order(&[at % 40, at % 40 + 1])).collect();
    orders[20] = shop.an_order(&[90]);
    orders[20].buyer.name = "\0".into();
    let told = join_all(orders.iter().map(|order| shop.store().place_order(shop.organization, order.clone()))).await;
    let mut sold = BTreeSet::new();
    for order in orders.iter().zip(&told).filter_map(|(order, told)| matches!(told, Ok(Ok(_))).then_some(order)) {
        assert!(order.lines.iter().all(|line| sold.insert(line.place)), "a place was sold twice");
    }
    for (at, (order, told)) in orders.iter().zip(&told).enumerate() {
        match told {
            Ok(Ok(_)) => {}
            Ok(Err(refusal)) => {
                assert_eq!(refusal.code, Code::PlaceTaken);
                let taken = &refusal.evidence.places;
                assert!(!taken.is_empty() && taken.iter().all(|place| sold.contains(place)), "{at}: {refusal:?}");
            }
            Err(fault) => assert!(at == 20 && matches!(fault, Fault::Internal(_)), "{at}: {fault:?}"),
        }
        let read = shop.store().read_order(shop.organization, order.id).await.unwrap();
        assert_eq!(read.is_some(), matches!(told, Ok(Ok(_))), "{at}");
    }
    assert!(told[20].is_err());
}
