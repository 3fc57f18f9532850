//! Tests that a batch locks shared rows in the order of their keys, whatever the order of its commands, so that two transactions cannot deadlock.

use std::time::Duration;

use voelgoed_app::checkout::order_limits::CountedFor;
use voelgoed_app::checkout::ports::{Buyer, NewOrder, OrderStore};
use voelgoed_app::payments::ports::PaymentStore;
use voelgoed_cold::Cold;
use voelgoed_cold::db::{PostgresSettings, Sql, sql};
use voelgoed_contracts::sales_fixture::{PAY_WINDOW, SalesFixture};
use voelgoed_domain::payments::decide::{Observation, PAY_BY_GRACE};
use voelgoed_testkit::until::until;

use crate::server;

const LOCK_ORDER_OF_EVE: Sql =
    sql("test.lock_order_of_eve", "select state from orders where buyer_name = 'eve' {for_update}");
const LOCK_COUNT_OF_ANN: Sql =
    sql("test.lock_ann", "select counted from sale_counts where counted = 'places:ann' {for_update}");
const LOCK_COUNT_OF_ZOE_NOW: Sql =
    sql("test.lock_zoe_now", "select counted from sale_counts where counted = 'places:zoe' {for_update} nowait");
/// Transactions of this database that wait for a lock.
const WAITING: Sql = sql(
    "test.waiting",
    "select count(*) from pg_locks where not granted
       and pid in (select pid from pg_stat_activity where datname = current_database())",
);
/// For each wait, also on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(60);

fn order_of_buyer(shop: &SalesFixture<Cold>, place: u32, buyer: &str) -> NewOrder {
    let counted = CountedFor { buyers: vec![buyer.into()], ..CountedFor::default() };
    let order = shop.new_order(&[place]);
    NewOrder { counted, buyer: Buyer { name: buyer.into(), ..order.buyer }, ..order }
}

async fn waits_for_a_lock(shop: &SalesFixture<Cold>) {
    let waiting = || async {
        let rows = shop.store().db().fetch_all::<(i64,)>(shop.organization, WAITING, vec![]).await?;
        Ok((rows == [(1,)]).then_some(()))
    };
    until("a transaction waits for a lock", TIMEOUT, waiting).await.unwrap();
}

#[tokio::test]
async fn batch_of_voided_payments_locks_counts_in_the_order_of_their_keys() {
    let server = server::shared().await;
    let settings = server::settings(server, &server::database(server));
    let patient =
        PostgresSettings { desk_connections: 3, lock_timeout: TIMEOUT, statement_timeout: TIMEOUT, ..settings };
    let shop = SalesFixture::open(server::open_with(&patient).await).await;
    let orders = [("eve", 1), ("zoe", 2), ("ann", 3)].map(|(buyer, place)| order_of_buyer(&shop, place, buyer));
    for order in &orders {
        shop.place_order(order).await;
    }
    let [eve, zoe, ann] = orders.map(|order| order.attempt.unwrap().id);
    shop.environment().advance(PAY_WINDOW + PAY_BY_GRACE);
    let db = shop.store().db();
    let voided = |payment| {
        let observation = shop.payment_observation(payment, Observation::Voided);
        shop.store().apply_observation(shop.organization, observation)
    };

    // The first batch waits for the order of eve, so that zoe and ann share the second one, in this order.
    let mut holder_of_order = db.begin(shop.organization).await.unwrap();
    holder_of_order.fetch_all::<(String,)>(LOCK_ORDER_OF_EVE, vec![]).await.unwrap();
    let mut holder_of_count = db.begin(shop.organization).await.unwrap();
    assert_eq!(holder_of_count.fetch_all::<(String,)>(LOCK_COUNT_OF_ANN, vec![]).await.unwrap().len(), 1);
    let test = async {
        waits_for_a_lock(&shop).await;
        let (zoe, ann, ()) = tokio::join!(voided(zoe), voided(ann), async {
            holder_of_order.rollback().await.unwrap();
            waits_for_a_lock(&shop).await;
            // The second batch waits for the count of ann and has not locked the one of zoe.
            let found = holder_of_count.fetch_all::<(String,)>(LOCK_COUNT_OF_ZOE_NOW, vec![]).await;
            assert_eq!(found.unwrap(), [("places:zoe".to_owned(),)]);
            holder_of_count.rollback().await.unwrap();
        });
        zoe.unwrap();
        ann.unwrap();
    };
    let (eve, ()) = tokio::join!(voided(eve), test);
    eve.unwrap();
    let keys = ["eve", "zoe", "ann"].map(|buyer| format!("places:{buyer}")).to_vec();
    let counts = shop.store().counts(shop.organization, shop.event, keys).await.unwrap();
    assert!(counts.len() == 3 && counts.values().all(|count| *count == 0), "{counts:?}");
}
