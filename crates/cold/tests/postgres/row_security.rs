//! Tests row security (P7) with statements that deliberately lack a `where`, on pools of two connections.

use futures::future::join_all;
use uuid::Uuid;
use voelgoed_cold::db::{PostgresSettings, Sql, SystemRole, TxScope, sql};
use voelgoed_contracts::accounts::audited_command;
use voelgoed_contracts::sales_fixture::SalesFixture;

use crate::server;

const ALL: Sql = sql("test.all_orders", "select organization_id from orders");
const EVENTS: Sql = sql("test.all_facts", "select organization_id from outbox");
const TICKETS: Sql = sql("test.all_tickets", "select organization_id from tickets");
const LINES: Sql = sql("test.all_lines", "select organization_id from audit_lines");
const CLOSE: Sql = sql("test.close_all", "update orders set state = 'cancelled'");
const STEAL: Sql = sql("test.steal", "update orders set organization_id = '00000000-0000-0000-0000-000000000001'");

fn owners(rows: &[(Uuid,)]) -> Vec<Uuid> {
    let mut all: Vec<Uuid> = rows.iter().map(|(organization,)| *organization).collect();
    all.dedup();
    all
}

/// Two shops with an order each, on one database whose pools have two connections.
async fn two_shops() -> (SalesFixture<voelgoed_cold::Cold>, SalesFixture<voelgoed_cold::Cold>) {
    let postgres = server::shared().await;
    let database = server::database(postgres);
    let two = PostgresSettings { sale_connections: 2, desk_connections: 2, ..server::settings(postgres, &database) };
    let sut = server::open_with(&two).await;
    let again = server::share(&sut);
    let (one, other) = (SalesFixture::open(sut).await, SalesFixture::open(again).await);
    one.placed_order(&[1]).await;
    other.placed_order(&[2, 3]).await;
    (one, other)
}

#[tokio::test]
async fn read_without_a_where_sees_only_rows_of_its_organization() {
    let (one, other) = two_shops().await;
    let db = one.store().db();
    let reads = (0..40).map(|number| async move {
        let organization = if number % 2 == 0 { one.organization } else { other.organization };
        let rows: Vec<(Uuid,)> = db.fetch_all(organization, ALL, vec![]).await.unwrap();
        assert_eq!(owners(&rows), [organization.uuid()], "read {number}");
    });
    // More readers than connections, so each connection serves both organizations in turn.
    join_all(reads).await;
    let stranger: Vec<(Uuid,)> = db.fetch_all(TxScope::Tenant(Uuid::from_u128(77)), ALL, vec![]).await.unwrap();
    assert!(stranger.is_empty());
}

#[tokio::test]
async fn write_without_a_where_changes_only_rows_of_its_organization() {
    let (one, other) = two_shops().await;
    let db = one.store().db();
    let mut tx = db.begin(one.organization).await.unwrap();
    assert_eq!(tx.execute(CLOSE, vec![]).await.unwrap(), 1, "its own order");
    tx.rollback().await.unwrap();
    let mut tx = db.begin(other.organization).await.unwrap();
    let refused = tx.execute(STEAL, vec![]).await.unwrap_err();
    assert!(refused.to_string().contains("row-level security"), "{refused}");
    let committed = tx.commit().await;
    assert!(committed.is_err(), "a failed transaction is not reported as committed");
}

#[tokio::test]
async fn scope_of_a_transaction_ends_with_it() {
    let (one, _other) = two_shops().await;
    let db = one.store().db();
    for dropped in [false, true] {
        let tx = db.begin(one.organization).await.unwrap();
        if dropped {
            drop(tx);
        } else {
            tx.commit().await.unwrap();
        }
        // The role of nodes is in no policy, so it would show a scope left by the transaction before.
        for _ in 0..4 {
            let rows: Vec<(Uuid,)> = db.fetch_all(SystemRole::Nodes, ALL, vec![]).await.unwrap();
            assert!(rows.is_empty());
        }
    }
}

#[tokio::test]
async fn system_role_sees_only_the_tables_of_its_work() {
    let (one, _other) = two_shops().await;
    let db = one.store().db();
    audited_command(&**one.store(), one.environment(), one.organization, "evt_1").await;
    for role in SystemRole::ALL {
        let orders: Vec<(Uuid,)> = db.fetch_all(role, ALL, vec![]).await.unwrap();
        let sees_orders = matches!(role, SystemRole::Reconciler | SystemRole::Buyer);
        assert_eq!(orders.len(), if sees_orders { 2 } else { 0 }, "orders to {role:?}");
        let events: Vec<(Uuid,)> = db.fetch_all(role, EVENTS, vec![]).await.unwrap();
        assert_eq!(!events.is_empty(), role == SystemRole::Relay, "outbox rows to {role:?}");
        let lines: Vec<(Uuid,)> = db.fetch_all(role, LINES, vec![]).await.unwrap();
        assert_eq!(lines.len(), usize::from(role == SystemRole::Retention), "lines to {role:?}");
        let tickets: Vec<(Uuid,)> = db.fetch_all(role, TICKETS, vec![]).await.unwrap();
        assert!(tickets.is_empty(), "tickets to {role:?}");
    }
}

#[tokio::test]
async fn every_table_with_an_organization_has_forced_row_security() {
    let postgres = server::shared().await;
    let database = server::database(postgres);
    let open = postgres
        .sql(
            &database,
            "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'organization_id'
             where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
               and not (c.relrowsecurity and c.relforcerowsecurity
                        and exists (select 1 from pg_policy p where p.polrelid = c.oid and p.polname = 'tenant'))",
        )
        .unwrap();
    assert_eq!(open, "", "tables without row security");
    let locked = postgres.sql(&database, "select count(*) from pg_class where relforcerowsecurity").unwrap();
    assert!(locked.parse::<u32>().unwrap() >= 26, "{locked}");
}
