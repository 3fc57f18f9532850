//! The store layer runs each statement of this crate on SQLite or Postgres through one interface of pools, transactions and binds.
//!
//! Never: a slice's table, an await of anything but SQL inside a write transaction, a wait without a limit. Once [`Tx::commit`] returns, the changes
//! are on disk (P3), except after [`Db::begin_unflushed`]; an error says whether anything may have been changed ([`DbError`]).
//! To add an engine: a variant of [`Pools`] and of `tx::OpenTransaction`, its tokens in `sql.rs`, its binds in `value.rs`, its codes in `error.rs`.

#[cfg(test)]
pub(crate) mod commit_faults;
mod engine_row;
mod error;
mod execute;
mod migrate;
mod open_tx;
mod pool_class;
mod postgres;
mod postgres_connections;
mod postgres_session;
mod postgres_settings;
mod read;
mod replicas;
mod scope;
mod server_health;
mod sql;
mod sqlite;
pub(crate) mod sqlite_copy;
mod tx;
mod value;
mod wakeups;
mod writer_queue;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use voelgoed_app::accounts::quotas::Quotas;
use voelgoed_app::sealing::Sealer;
use voelgoed_resilience::{Capabilities, Deadline};

pub use engine_row::{DbRow, EngineRow};
pub use error::{DbError, DbResult};
pub use migrate::migrate_postgres;
pub use postgres_settings::PostgresSettings;
pub use scope::{SystemRole, TxScope};
pub use sql::{Sql, sql};
pub use tx::Tx;
pub use value::{Bind, Value};

pub(crate) use engine_row::{column_name, row_struct};
pub(crate) use migrate::connect as connect_postgres;
pub(crate) use pool_class::PoolClass;
pub(crate) use value::{binds, row};
pub(crate) use wakeups::Wakeups;

use self::postgres::Postgres;
use self::scope::TxMode;
use self::server_health::ServerHealth;

/// The SQL dialect and bind types of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Engine {
    /// The embedded default.
    Sqlite,
    /// A server, or a primary with replicas.
    Postgres,
}

/// The connections of one engine.
enum Pools {
    /// One writer and several readers of one file.
    Sqlite(sqlite::Sqlite),
    /// A pool of connections per [`PoolClass`].
    Postgres(Box<Postgres>),
}

struct Inner {
    pools: Pools,
    wakeups: Wakeups,
    server_health: ServerHealth,
    /// Seals the stored answers of idempotency records; set once, when the tier is opened.
    sealer: OnceLock<Sealer>,
    /// Set once, when the tier is opened.
    quotas: OnceLock<Quotas>,
    #[cfg(test)]
    commit_faults: commit_faults::CommitFaults,
}

/// The cold tier's database, used through one pool class; cheap to clone.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
    pool_class: PoolClass,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db").field("engine", &self.engine()).finish_non_exhaustive()
    }
}

impl Db {
    /// Opens or creates the embedded database in `data_dir` and migrates its schema.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] where the file cannot be opened; [`DbError::Internal`] where the schema is not one of this program.
    pub async fn open_sqlite(data_dir: &Path) -> DbResult<Self> {
        let db = Self::of(Pools::Sqlite(sqlite::Sqlite::open(data_dir).await?));
        migrate::run(&db).await?;
        Ok(db)
    }

    /// Connects to a Postgres whose schema [`migrate_postgres`] has migrated.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] where the server does not answer; [`DbError::Internal`] where address, role or schema are not usable.
    pub async fn open_postgres(settings: &PostgresSettings) -> DbResult<Self> {
        let db = Self::of(Pools::Postgres(Box::new(Postgres::new(settings)?)));
        migrate::check_postgres(settings).await?;
        Ok(db)
    }

    fn of(pools: Pools) -> Self {
        let inner = Inner {
            pools,
            wakeups: Wakeups::default(),
            server_health: ServerHealth::default(),
            sealer: OnceLock::new(),
            quotas: OnceLock::new(),
            #[cfg(test)]
            commit_faults: commit_faults::CommitFaults::default(),
        };
        Self { inner: Arc::new(inner), pool_class: PoolClass::Desk }
    }

    /// The same database through the connections of `pool_class`.
    pub(crate) fn with_pool_class(&self, pool_class: PoolClass) -> Self {
        Self { inner: self.inner.clone(), pool_class }
    }

    /// Closes all connections after their running statements have ended.
    pub async fn close(&self) {
        match &self.inner.pools {
            Pools::Sqlite(sqlite) => sqlite.close().await,
            Pools::Postgres(postgres) => postgres.close().await,
        }
    }

    /// Reports changes of this database's health to the capability table. Only the first call has an effect.
    pub fn report_health_to(&self, capabilities: Capabilities) {
        self.server_health().report_health_to(capabilities);
    }

    /// Sets what seals stored answers. Only the first call has an effect.
    pub(crate) fn set_sealer(&self, sealer: Sealer) {
        let _first = self.inner.sealer.set(sealer);
    }

    /// Sets the limits of an organization. Only the first call has an effect.
    pub(crate) fn set_quotas(&self, quotas: Quotas) {
        let _first = self.inner.quotas.set(quotas);
    }

    pub(crate) fn quotas(&self) -> &Quotas {
        self.inner.quotas.get_or_init(Quotas::default)
    }

    /// The key that seals the stored answers of idempotency records.
    ///
    /// # Errors
    /// [`DbError::Internal`] where this database was opened without one.
    pub(crate) fn sealer(&self) -> DbResult<&Sealer> {
        self.inner.sealer.get().ok_or_else(|| DbError::internal("answers cannot be sealed: no key was given"))
    }

    fn server_health(&self) -> &ServerHealth {
        &self.inner.server_health
    }

    /// Notes that `scope` has committed, so that its next read does not come from a replica that lacks the write.
    fn record_write(&self, scope: TxScope) {
        if let Pools::Postgres(postgres) = &self.inner.pools {
            postgres.record_write(scope);
        }
    }

    /// True for a database server, which can have standbys.
    pub(crate) fn is_server(&self) -> bool {
        matches!(self.engine(), Engine::Postgres)
    }

    pub(crate) fn engine(&self) -> Engine {
        match &self.inner.pools {
            Pools::Sqlite(_) => Engine::Sqlite,
            Pools::Postgres(_) => Engine::Postgres,
        }
    }

    pub(crate) fn wakeups(&self) -> &Wakeups {
        &self.inner.wakeups
    }

    #[cfg(test)]
    pub(crate) fn commit_faults(&self) -> &commit_faults::CommitFaults {
        &self.inner.commit_faults
    }
}

/// Refuses to begin work for a request whose deadline has passed (P9).
fn check_deadline() -> DbResult<()> {
    if Deadline::current().is_some_and(Deadline::passed) {
        return Err(DbError::Unavailable("the request's deadline passed".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
