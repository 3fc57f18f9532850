//! The schema of a server: brought up to date by whoever comes first, served on only where it fits, and above all refused otherwise.

use std::sync::Arc;
use std::time::Duration;

use voelgoed_cold::Cold;
use voelgoed_cold::db::{PostgresSettings, migrate_postgres};
use voelgoed_contracts::selling::Shop;
use voelgoed_contracts::subject::TestEnvironment;
use voelgoed_testkit::until::until;

use crate::server;

async fn refusal(settings: &PostgresSettings) -> String {
    Cold::open_postgres(settings, Arc::new(TestEnvironment::default())).await.unwrap_err().to_string()
}

#[tokio::test]
async fn nodes_that_migrate_at_once_run_each_step_once() {
    let postgres = server::shared().await;
    postgres.create_database("at_once", "template0").unwrap();
    let settings = PostgresSettings::new(postgres.url("at_once"));
    assert!(refusal(&settings).await.contains("voelgoed migrate"), "a schema that is behind is not served on");
    let ran = futures::future::join_all((0..4).map(|_| migrate_postgres(&settings))).await;
    let ran: Vec<usize> = ran.into_iter().map(|ran| ran.unwrap().len()).collect();
    let steps: usize = postgres.sql("at_once", "select count(*) from schema_steps").unwrap().parse().unwrap();
    assert_eq!(ran.iter().sum::<usize>(), steps, "{ran:?}");
    assert_eq!(ran.iter().filter(|ran| **ran > 0).count(), 1, "{ran:?}");
    Cold::open_postgres(&settings, Arc::new(TestEnvironment::default())).await.unwrap();
}

#[tokio::test]
async fn a_step_gives_way_to_a_table_in_use_and_is_repeated() {
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
async fn a_program_serves_on_while_a_newer_one_adds_and_is_refused_once_it_takes_away() {
    let postgres = server::shared().await;
    let database = server::database(postgres);
    let settings = server::settings(postgres, &database);
    let shop = Shop::open(server::open_with(&settings).await).await;
    shop.ordered(&[1]).await;
    // What a later version's step would do while this one serves: expand.
    let expand = "alter table orders add column channel text not null default 'web';
        create table later (organization_id uuid not null);
        insert into schema_steps (number, name, checksum) values (9000, '9000_later', '\\x00')";
    postgres.sql(&database, expand).unwrap();
    shop.paid(&[2]).await;
    let again = Cold::open_postgres(&settings, Arc::new(TestEnvironment::default())).await;
    assert!(again.is_ok(), "a restart of the older program in the middle of a rolling update");
    // Contract: the step says who may stay.
    postgres.sql(&database, "update schema_floor set step = 9000").unwrap();
    let refused = refusal(&settings).await;
    assert!(refused.contains("9000"), "{refused}");
}

#[tokio::test]
async fn a_role_above_row_security_is_not_served_with() {
    let postgres = server::shared().await;
    let database = server::database(postgres);
    let refused = refusal(&PostgresSettings::new(postgres.superuser_url(&database))).await;
    assert!(refused.contains("row security"), "{refused}");
}

#[tokio::test]
async fn a_step_that_was_edited_is_found() {
    let postgres = server::shared().await;
    let database = server::database(postgres);
    postgres.sql(&database, "update schema_steps set checksum = '\\x00' where number = 110").unwrap();
    let settings = server::settings(postgres, &database);
    assert!(refusal(&settings).await.contains("0110_orders"));
    assert!(migrate_postgres(&settings).await.is_err());
}
