//! Row security as the second lock (P7): statements here forget their `where` on purpose, on a pool of two connections.

use futures::future::join_all;
use uuid::Uuid;
use voelgoed_cold::db::{PostgresSettings, Scope, Sql, System, sql};
use voelgoed_contracts::accounts::an_act;
use voelgoed_contracts::selling::Shop;

use crate::server;

const ALL: Sql = sql("test.all_orders", "select organization_id from orders");
const FACTS: Sql = sql("test.all_facts", "select organization_id from outbox");
const TICKETS: Sql = sql("test.all_tickets", "select organization_id from tickets");
const LINES: Sql = sql("test.all_lines", "select organization_id from audit_lines");
const CLOSE: Sql = sql("test.close_all", "update orders set state = 'cancelled'");
const STEAL: Sql = sql("test.steal", "update orders set organization_id = '00000000-0000-0000-0000-000000000001'");

fn whose(rows: &[(Uuid,)]) -> Vec<Uuid> {
    let mut all: Vec<Uuid> = rows.iter().map(|(organization,)| *organization).collect();
    all.dedup();
    all
}

/// Two shops with an order each, on one database whose pools have two connections.
async fn two_shops() -> (Shop<voelgoed_cold::Cold>, Shop<voelgoed_cold::Cold>) {
    let postgres = server::shared().await;
    let database = server::database(postgres);
    let two = PostgresSettings { sale_connections: 2, desk_connections: 2, ..server::settings(postgres, &database) };
    let subject = server::open_with(&two).await;
    let again = server::share(&subject);
    let (one, other) = (Shop::open(subject).await, Shop::open(again).await);
    one.ordered(&[1]).await;
    other.ordered(&[2, 3]).await;
    (one, other)
}

#[tokio::test]
async fn a_statement_without_its_where_sees_its_own_tenant_only() {
    let (one, other) = two_shops().await;
    let db = one.store().db();
    let reads = (0..40).map(|number| async move {
        let organization = if number % 2 == 0 { one.organization } else { other.organization };
        let rows: Vec<(Uuid,)> = db.fetch_all(organization, ALL, vec![]).await.unwrap();
        assert_eq!(whose(&rows), [organization.uuid()], "read {number}");
    });
    // More readers than connections: each connection serves both, one after the other.
    join_all(reads).await;
    let stranger: Vec<(Uuid,)> = db.fetch_all(Scope::Tenant(Uuid::from_u128(77)), ALL, vec![]).await.unwrap();
    assert!(stranger.is_empty());
}

#[tokio::test]
async fn a_write_without_its_where_reaches_its_own_tenant_only_and_gives_nothing_away() {
    let (one, other) = two_shops().await;
    let db = one.store().db();
    let mut tx = db.begin(one.organization).await.unwrap();
    assert_eq!(tx.execute(CLOSE, vec![]).await.unwrap(), 1, "its own order");
    tx.rollback().await.unwrap();
    let mut tx = db.begin(other.organization).await.unwrap();
    let refused = tx.execute(STEAL, vec![]).await.unwrap_err();
    assert!(refused.to_string().contains("row-level security"), "{refused}");
    let committed = tx.commit().await;
    assert!(committed.is_err(), "what failed is not said to be committed");
}

#[tokio::test]
async fn a_setting_does_not_outlive_its_transaction() {
    let (one, _other) = two_shops().await;
    let db = one.store().db();
    for dropped in [false, true] {
        let tx = db.begin(one.organization).await.unwrap();
        if dropped {
            drop(tx);
        } else {
            tx.commit().await.unwrap();
        }
        // Nodes' role is in no policy: it shows what is left of the tenant before it.
        for _ in 0..4 {
            let rows: Vec<(Uuid,)> = db.fetch_all(System::Nodes, ALL, vec![]).await.unwrap();
            assert!(rows.is_empty());
        }
    }
}

#[tokio::test]
async fn a_system_role_sees_the_tables_of_its_work_only() {
    let (one, _other) = two_shops().await;
    let db = one.store().db();
    an_act(&**one.store(), one.environment(), one.organization, "evt_1").await;
    for role in System::ALL {
        let orders: Vec<(Uuid,)> = db.fetch_all(role, ALL, vec![]).await.unwrap();
        let sees_orders = matches!(role, System::Reconciler | System::Buyer);
        assert_eq!(orders.len(), if sees_orders { 2 } else { 0 }, "orders to {role:?}");
        let facts: Vec<(Uuid,)> = db.fetch_all(role, FACTS, vec![]).await.unwrap();
        assert_eq!(!facts.is_empty(), role == System::Relay, "facts to {role:?}");
        let lines: Vec<(Uuid,)> = db.fetch_all(role, LINES, vec![]).await.unwrap();
        assert_eq!(lines.len(), usize::from(role == System::Retention), "lines to {role:?}");
        let tickets: Vec<(Uuid,)> = db.fetch_all(role, TICKETS, vec![]).await.unwrap();
        assert!(tickets.is_empty(), "tickets to {role:?}");
    }
}

#[tokio::test]
async fn every_table_of_a_tenant_is_locked_also_for_its_owner() {
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
