//! Starts one Postgres for all tests of this program, and gives each test a copy of a migrated database.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::OnceCell;
use voelgoed_app::page::PageRequest;
use voelgoed_cold::Cold;
use voelgoed_cold::db::{PostgresSettings, migrate_postgres};
use voelgoed_contracts::sut::{Sut, TestEnvironment};
use voelgoed_testkit::postgres::Postgres;

static SERVER: OnceCell<Postgres> = OnceCell::const_new();
static COUNT: AtomicU32 = AtomicU32::new(0);

/// The template of every test's database.
const MIGRATED: &str = "migrated";

/// The server that all tests share. A test that stops its server starts one of its own.
pub async fn shared() -> &'static Postgres {
    let start = || async {
        let server = Postgres::start().await.unwrap();
        prepare(&server).await;
        server
    };
    SERVER.get_or_init(start).await
}

/// Creates the migrated database that others are copied from.
pub async fn prepare(server: &Postgres) {
    server.create_database(MIGRATED, "template0").unwrap();
    migrate_postgres(&PostgresSettings::new(server.url(MIGRATED))).await.unwrap();
}

/// Creates a new migrated database on `server`.
pub fn database(server: &Postgres) -> String {
    let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    server.create_database(&name, MIGRATED).unwrap();
    name
}

/// Settings with few connections, because many tests share one server.
pub fn settings(server: &Postgres, database: &str) -> PostgresSettings {
    let few = PostgresSettings::new(server.url(database));
    PostgresSettings { sale_connections: 4, desk_connections: 2, jobs_connections: 2, ..few }
}

/// Opens the cold tier on a new database.
pub async fn open() -> Sut<Cold> {
    let server = shared().await;
    open_with(&settings(server, &database(server))).await
}

/// Opens the cold tier with `settings`.
pub async fn open_with(settings: &PostgresSettings) -> Sut<Cold> {
    let environment = Arc::new(TestEnvironment::default());
    let store = Arc::new(Cold::open_postgres(settings, environment.clone()).await.unwrap());
    Sut { store, environment, keep: Box::new(()) }
}

/// Another handle of the same store.
pub fn share(sut: &Sut<Cold>) -> Sut<Cold> {
    Sut { store: sut.store.clone(), environment: sut.environment.clone(), keep: Box::new(()) }
}

/// The first page with at most `limit` rows.
pub fn page(limit: u32) -> PageRequest {
    PageRequest { after: None, limit }
}
