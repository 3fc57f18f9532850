//! Tests that look-ups by key use indexes: a few orders read a few rows, however many their organization has.

use std::time::Duration;

use futures::future::join_all;
use voelgoed_cold::db::PostgresSettings;
use voelgoed_contracts::sales_fixture::SalesFixture;
use voelgoed_testkit::postgres::Postgres;
use voelgoed_testkit::until::until;

use crate::server;

/// Orders per round, placed and paid concurrently.
const ORDERS_PER_ROUND: u32 = 8;
/// Postgres plans a statement again in its first five executions; then it may keep a plan.
const ROUNDS_UNTIL_PLANS_ARE_KEPT: u32 = 8;
/// Rows per table for one organization, and as many for small organizations together, so that the planner estimates organizations to be small. A scan of
/// the organization would read more rows than this per statement.
const ROWS: u32 = 3_000;
/// An idle session reports its statistics after ten seconds.
const STATISTICS_TIMEOUT: Duration = Duration::from_secs(30);

/// The tables that orders and payments are looked up in, with the columns that differ per row.
const TABLES: [(&str, &str); 5] = [
    ("orders", "'id', gen_random_uuid(), 'hold_id', gen_random_uuid()"),
    ("idempotency", "'key', gen_random_uuid()"),
    ("payment_attempts", "'id', gen_random_uuid(), 'order_id', gen_random_uuid()"),
    ("tickets", "'id', gen_random_uuid(), 'place', 1000000 + n"),
    ("order_lines", "'order_id', gen_random_uuid()"),
];

/// Fills the tables with copies of their first row, for its own organization and for small ones, and analyzes them.
fn fill(postgres: &Postgres, database: &str) {
    for (table, own) in TABLES {
        for of in ["", "'organization_id', gen_random_uuid(), "] {
            // Without foreign keys: copies refer to rows that do not exist.
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

/// The number of rows read from tables and indexes, once the statistics include all `tickets`.
async fn rows_read(postgres: &Postgres, database: &str, tickets: u32) -> u64 {
    const COUNTED: &str = "select n_tup_ins, (select sum(seq_tup_read + idx_tup_fetch) from pg_stat_user_tables)
        + (select sum(idx_tup_read) from pg_stat_user_indexes) from pg_stat_user_tables where relname = 'tickets'";
    until("all is counted", STATISTICS_TIMEOUT, || async {
        let counted = postgres.sql(database, COUNTED)?;
        let (issued, read) = counted.split_once('|').unwrap_or_default();
        Ok(if issued == tickets.to_string() { read.parse().ok() } else { None })
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn few_orders_read_few_rows_of_an_organization_with_many() {
    let postgres = server::shared().await;
    let database = server::database(postgres);
    // One connection, so that it keeps the plans made while the tables were nearly empty.
    let settings = PostgresSettings { sale_connections: 1, ..server::settings(postgres, &database) };
    let shop = SalesFixture::open(server::open_with(&settings).await).await;
    let paid = async |first: u32| {
        let orders = (first..first + ORDERS_PER_ROUND).map(|order| [2 * order, 2 * order + 1]);
        join_all(orders.map(async |places| shop.paid_order(&places).await)).await;
    };
    for round in 0..ROUNDS_UNTIL_PLANS_ARE_KEPT {
        paid(round * ORDERS_PER_ROUND).await;
    }
    fill(postgres, &database);
    for round in ROUNDS_UNTIL_PLANS_ARE_KEPT..2 * ROUNDS_UNTIL_PLANS_ARE_KEPT {
        paid(round * ORDERS_PER_ROUND).await;
    }
    let tickets = 2 * ORDERS_PER_ROUND * 2 * ROUNDS_UNTIL_PLANS_ARE_KEPT + 2 * ROWS;
    let before = rows_read(postgres, &database, tickets).await;
    paid(2 * ROUNDS_UNTIL_PLANS_ARE_KEPT * ORDERS_PER_ROUND).await;
    shop.store().close().await;
    let rows = rows_read(postgres, &database, tickets + 2 * ORDERS_PER_ROUND).await - before;
    assert!(rows < u64::from(ROWS), "{ORDERS_PER_ROUND} orders read {rows} rows of an organization that has {ROWS}");
}

#[tokio::test]
async fn table_that_has_more_than_doubled_is_analyzed() {
    let postgres = server::shared().await;
    let database = server::database(postgres);
    let shop = SalesFixture::open(server::open_with(&server::settings(postgres, &database)).await).await;
    let mut in_all = 0;
    let mut grow = async |rows: u32| {
        in_all += rows;
        let text = format!(
            "insert into counts select gen_random_uuid(), gen_random_uuid(), '', 0, 0, 0, 0 from generate_series(1, {rows})"
        );
        postgres.sql(&database, &text).unwrap();
        // A session reports its writes at its end, which is after its client has disconnected.
        until("the rows are counted", STATISTICS_TIMEOUT, || async {
            let counted =
                postgres.sql(&database, "select n_live_tup from pg_stat_user_tables where relname = 'counts'")?;
            Ok((counted == in_all.to_string()).then_some(()))
        })
        .await
        .unwrap();
    };
    // No autovacuum analyzes meanwhile.
    postgres.sql(&database, "alter table counts set (autovacuum_enabled = off)").unwrap();
    // Below the minimum; above it; less than doubled; more than doubled.
    for (rows, known) in [(200, "-1"), (100, "300"), (200, "300"), (200, "700")] {
        grow(rows).await;
        shop.store().analyze_grown_tables().await.unwrap();
        let found = postgres.sql(&database, "select reltuples from pg_class where relname = 'counts'").unwrap();
        assert_eq!(found, known, "after {rows} more");
    }
}
