//! One server for all tests of this program, and a fresh database for each, copied from one whose schema is up to date.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::OnceCell;
use voelgoed_app::page::PageRequest;
use voelgoed_cold::Cold;
use voelgoed_cold::db::{PostgresSettings, migrate_postgres};
use voelgoed_contracts::subject::{Subject, TestEnvironment};
use voelgoed_testkit::postgres::Postgres;

static SERVER: OnceCell<Postgres> = OnceCell::const_new();
static COUNT: AtomicU32 = AtomicU32::new(0);

/// The schema of every test's database.
const MIGRATED: &str = "migrated";

/// The server that all tests share. Who breaks one starts another.
pub async fn shared() -> &'static Postgres {
    let start = || async {
        let server = Postgres::start().await.unwrap();
        prepare(&server).await;
        server
    };
    SERVER.get_or_init(start).await
}

/// Makes the database that others are copied from.
pub async fn prepare(server: &Postgres) {
    server.create_database(MIGRATED, "template0").unwrap();
    migrate_postgres(&PostgresSettings::new(server.url(MIGRATED))).await.unwrap();
}

/// A database of its own on `server`.
pub fn database(server: &Postgres) -> String {
    let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    server.create_database(&name, MIGRATED).unwrap();
    name
}

/// Few connections, because many tests share one server.
pub fn settings(server: &Postgres, database: &str) -> PostgresSettings {
    let few = PostgresSettings::new(server.url(database));
    PostgresSettings { sale_connections: 4, desk_connections: 2, jobs_connections: 2, ..few }
}

/// The cold tier on a database of its own.
pub async fn open() -> Subject<Cold> {
    let server = shared().await;
    open_with(&settings(server, &database(server))).await
}

/// The cold tier of `settings`.
pub async fn open_with(settings: &PostgresSettings) -> Subject<Cold> {
    let environment = Arc::new(TestEnvironment::default());
    let store = Arc::new(Cold::open_postgres(settings, environment.clone()).await.unwrap());
    Subject { store, environment, keep: Box::new(()) }
}

/// The same store once more.
pub fn share(subject: &Subject<Cold>) -> Subject<Cold> {
    Subject { store: subject.store.clone(), environment: subject.environment.clone(), keep: Box::new(()) }
}

/// The first `most`.
pub fn page(most: u32) -> PageRequest {
    PageRequest { after: None, most }
}
