//! Tests migrations of Postgres: concurrent nodes, tables in use, rolling updates, and refused schemas and roles.

use std::sync::Arc;
use std::time::Duration;

use voelgoed_cold::Cold;
use voelgoed_cold::db::{PostgresSettings, migrate_postgres};
use voelgoed_contracts::sales_fixture::SalesFixture;
use voelgoed_contracts::sut::TestEnvironment;
use voelgoed_testkit::until::until;

use crate::server;

async fn refusal(settings: &PostgresSettings) -> String {
    Cold::open_postgres(settings, Arc::new(TestEnvironment::default())).await.unwrap_err().to_string()
}

#[tokio::test]
async fn concurrent_migrations_run_each_step_once() {
    let postgres = server::shared().await;
    postgres.create_database("at_once", "template0").unwrap();
    let settings = PostgresSettings::new(postgres.url("at_once"));
    assert!(refusal(&settings).await.contains("voelgoed migrate"), "an old schema is refused");
    let ran = futures::future::join_all((0..4).map(|_| migrate_postgres(&settings))).await;
    let ran: Vec<usize> = ran.into_iter().map(|ran| ran.unwrap().len()).collect();
    let steps: usize = postgres.sql("at_once", "select count(*) from schema_steps").unwrap().parse().unwrap();
    assert_eq!(ran.iter().sum::<usize>(), steps, "{ran:?}");
    assert_eq!(ran.iter().filter(|ran| **ran > 0).count(), 1, "{ran:?}");
    Cold::open_postgres(&settings, Arc::new(TestEnvironment::default())).await.unwrap();
}

#[tokio::test]
async fn step_that_gets_no_lock_is_retried() {
    let postgres = server::shared().await;
    let database = server::database(postgres);
    let undo = "drop index events_of_unknown_past_from; delete from schema_steps where number = 340";
    postgres.sql(&database, undo).unwrap();
    let settings = server::settings(postgres, &database);
    let sale = {
        let database = database.clone();
        std::thread::spawn(move || {
            let lock = "begin; lock table events in access exclusive mode; select pg_sleep(3); commit";
            postgres.sql(&database, lock).unwrap();
        })
    };
    let held = "select count(*) from pg_locks where relation = 'events'::regclass and mode = 'AccessExclusiveLock' and granted";
    until("the table is in use", Duration::from_secs(20), || async {
        Ok((postgres.sql(&database, held)?.trim() == "1").then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(migrate_postgres(&settings).await.unwrap(), ["0340_unknown_past_from"]);
    sale.join().unwrap();
    assert_eq!(migrate_postgres(&settings).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn older_program_serves_after_an_expanding_step_and_is_refused_after_a_contracting_one() {
    let postgres = server::shared().await;
    let database = server::database(postgres);
    let settings = server::settings(postgres, &database);
    let shop = SalesFixture::open(server::open_with(&settings).await).await;
    shop.placed_order(&[1]).await;
    // Expand: a later version runs its migration step while the older version serves.
    let expand = "alter table orders add column channel text not null default 'web';
        create table later (organization_id uuid not null);
        insert into schema_steps (number, name, checksum) values (9000, '9000_later', '\\x00')";
    postgres.sql(&database, expand).unwrap();
    shop.paid_order(&[2]).await;
    let again = Cold::open_postgres(&settings, Arc::new(TestEnvironment::default())).await;
    assert!(again.is_ok(), "a restart of the older program in the middle of a rolling update");
    // Contract: the later version's step raises `schema_floor`, the number of the step that a program must know at least.
    postgres.sql(&database, "update schema_floor set step = 9000").unwrap();
    let refused = refusal(&settings).await;
    assert!(refused.contains("9000"), "{refused}");
}

#[tokio::test]
async fn role_that_bypasses_row_security_is_refused() {
    let postgres = server::shared().await;
    let database = server::database(postgres);
    let refused = refusal(&PostgresSettings::new(postgres.superuser_url(&database))).await;
    assert!(refused.contains("row security"), "{refused}");
}

#[tokio::test]
async fn step_edited_after_its_run_is_refused() {
    let postgres = server::shared().await;
    let database = server::database(postgres);
    postgres.sql(&database, "update schema_steps set checksum = '\\x00' where number = 110").unwrap();
    let settings = server::settings(postgres, &database);
    assert!(refusal(&settings).await.contains("0110_orders"));
    assert!(migrate_postgres(&settings).await.is_err());
}
