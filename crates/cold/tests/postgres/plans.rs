//! What is asked by keys is found by keys: a few orders read a few rows, however many their organization has.

use std::time::Duration;

use futures::future::join_all;
use voelgoed_cold::db::PostgresSettings;
use voelgoed_contracts::selling::Shop;
use voelgoed_testkit::postgres::Postgres;
use voelgoed_testkit::until::until;

use crate::server;

/// Orders that are placed and paid at once.
const FEW: u32 = 8;
/// How often, at first: Postgres makes a plan anew the first five times, then it may keep one.
const PLANS_ARE_KEPT_AFTER: u32 = 8;
/// Rows of each table that one organization gets, and in all as many small ones, so that organizations look small on average. Whoever read it whole would
/// read more than this for each statement.
const ROWS: u32 = 3_000;
/// A session that has nothing more to do tells what it has read after ten seconds.
const COUNTED_WITHIN: Duration = Duration::from_secs(30);

/// Each table that orders and payments are found in, with what its rows do not share.
const TABLES: [(&str, &str); 5] = [
    ("orders", "'id', gen_random_uuid(), 'hold_id', gen_random_uuid()"),
    ("idempotency", "'key', gen_random_uuid()"),
    ("payment_attempts", "'id', gen_random_uuid(), 'order_id', gen_random_uuid()"),
    ("tickets", "'id', gen_random_uuid(), 'place', 1000000 + n"),
    ("order_lines", "'order_id', gen_random_uuid()"),
];

/// Fills the tables with copies of their first row: for its own organization and for small ones, as the planner then knows.
fn fill(postgres: &Postgres, database: &str) {
    for (table, own) in TABLES {
        for of in ["", "'organization_id', gen_random_uuid(), "] {
            // Copies refer to what is not there.
            let copies = format!(
                "set session_replication_role = replica;
                 insert into {table} select (jsonb_populate_record(first, jsonb_build_object({of}{own}))).*
                   from (select t as first from {table} t limit 1) as one, generate_series(1, {ROWS}) as n"
            );
            postgres.sql(database, &copies).unwrap();
        }
        postgres.sql(database, &format!("analyze {table}")).unwrap();
    }
}

/// Rows of tables and indexes that were read since the counts were last the same for a while.
async fn read(postgres: &Postgres, database: &str, tickets: u32) -> u64 {
    const COUNTED: &str = "select n_tup_ins, (select sum(seq_tup_read + idx_tup_fetch) from pg_stat_user_tables)
        + (select sum(idx_tup_read) from pg_stat_user_indexes) from pg_stat_user_tables where relname = 'tickets'";
    until("all is counted", COUNTED_WITHIN, || async {
        let counted = postgres.sql(database, COUNTED)?;
        let (issued, read) = counted.split_once('|').unwrap_or_default();
        Ok(if issued == tickets.to_string() { read.parse().ok() } else { None })
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn a_few_orders_read_a_few_rows_however_many_there_are() {
    let postgres = server::shared().await;
    let database = server::database(postgres);
    // One connection, so that its plans are those that were made while there was hardly anything.
    let settings = PostgresSettings { sale_connections: 1, ..server::settings(postgres, &database) };
    let shop = Shop::open(server::open_with(&settings).await).await;
    let paid = async |first: u32| {
        let orders = (first..first + FEW).map(|order| [2 * order, 2 * order + 1]);
        join_all(orders.map(async |places| shop.paid(&places).await)).await;
    };
    for round in 0..PLANS_ARE_KEPT_AFTER {
        paid(round * FEW).await;
    }
    fill(postgres, &database);
    for round in PLANS_ARE_KEPT_AFTER..2 * PLANS_ARE_KEPT_AFTER {
        paid(round * FEW).await;
    }
    let tickets = 2 * FEW * 2 * PLANS_ARE_KEPT_AFTER + 2 * ROWS;
    let before = read(postgres, &database, tickets).await;
    paid(2 * PLANS_ARE_KEPT_AFTER * FEW).await;
    shop.store().close().await;
    let rows = read(postgres, &database, tickets + 2 * FEW).await - before;
    assert!(rows < u64::from(ROWS), "{FEW} orders read {rows} rows of an organization that has {ROWS}");
}

#[tokio::test]
async fn the_planner_is_told_of_a_table_that_has_begun_to_fill() {
    let postgres = server::shared().await;
    let database = server::database(postgres);
    let shop = Shop::open(server::open_with(&server::settings(postgres, &database)).await).await;
    let mut in_all = 0;
    let mut grow = async |rows: u32| {
        in_all += rows;
        let text = format!(
            "insert into counts select gen_random_uuid(), gen_random_uuid(), '', 0, 0, 0, 0 from generate_series(1, {rows})"
        );
        postgres.sql(&database, &text).unwrap();
        // A session tells what it has written while it ends, which is after its client has gone.
        until("the rows are counted", COUNTED_WITHIN, || async {
            let counted =
                postgres.sql(&database, "select n_live_tup from pg_stat_user_tables where relname = 'counts'")?;
            Ok((counted == in_all.to_string()).then_some(()))
        })
        .await
        .unwrap();
    };
    // Nobody else looks.
    postgres.sql(&database, "alter table counts set (autovacuum_enabled = off)").unwrap();
    // Not enough to be worth a look, enough, less than once as much again, and more.
    for (rows, known) in [(200, "-1"), (100, "300"), (200, "300"), (200, "700")] {
        grow(rows).await;
        shop.store().look_at_sizes().await.unwrap();
        let found = postgres.sql(&database, "select reltuples from pg_class where relname = 'counts'").unwrap();
        assert_eq!(found, known, "after {rows} more");
    }
}
