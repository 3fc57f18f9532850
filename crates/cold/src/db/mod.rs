//! The store layer: pools, transactions, binds and statements, so that each statement of this crate is written once for every engine.
//!
//! Never: a slice's table, an await of anything but SQL inside a write transaction, a wait without limit. Promise: what [`Tx::commit`] returned
//! is on disk (P3), but for [`Db::begin_unflushed`]; an error says whether anything may have been changed ([`Error`]).
//! To add an engine: a variant of [`Pools`] and of `tx::Open`, its tokens in `sql.rs`, its binds in `value.rs`, its codes in `error.rs`.

pub(crate) mod copy;
mod error;
#[cfg(test)]
pub(crate) mod faults;
mod migrate;
mod postgres;
mod replicas;
mod rows;
mod scope;
mod signals;
mod sql;
mod sqlite;
mod turns;
mod tx;
mod value;
mod watch;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use voelgoed_app::accounts::quotas::Quotas;
use voelgoed_app::sealing::Sealer;
use voelgoed_resilience::{Capabilities, Deadline};
use voelgoed_telemetry::touch;

pub use error::{Error, Result};
pub use migrate::migrate_postgres;
pub use postgres::PostgresSettings;
pub use rows::Row;
pub use scope::{Scope, System};
pub use sql::{Sql, sql};
pub use tx::Tx;
pub use value::{Bind, Value};

pub(crate) use migrate::connect as connect_postgres;
pub(crate) use scope::Lane;
pub(crate) use signals::Signals;
pub(crate) use value::{binds, row};

use self::postgres::Postgres;
use self::rows::Link;
use self::scope::Mode;
use self::watch::{Side, Watch};

/// An engine, as far as texts and binds differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Engine {
    /// The embedded default.
    Sqlite,
    /// A server, or a primary with its replicas.
    Postgres,
}

/// The connections of one engine.
enum Pools {
    /// One writer, some readers, one file.
    Sqlite(sqlite::Sqlite),
    /// Many connections, in lanes.
    Postgres(Box<Postgres>),
}

struct Inner {
    pools: Pools,
    signals: Signals,
    watch: Watch,
    /// Seals the answers of idempotency records; given once, when the tier is opened.
    sealer: OnceLock<Sealer>,
    /// What an organization may have; given once, when the tier is opened.
    quotas: OnceLock<Quotas>,
    #[cfg(test)]
    faults: faults::Faults,
}

/// The cold tier's database on one of its lanes; cheap to clone.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
    lane: Lane,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db").field("engine", &self.engine()).finish_non_exhaustive()
    }
}

impl Db {
    /// Opens (or makes) the embedded database in `data_dir` and brings its schema up to date.
    ///
    /// # Errors
    /// [`Error::Away`] where the file cannot be opened; [`Error::Internal`] where its schema is not one of ours.
    pub async fn open_sqlite(data_dir: &Path) -> Result<Self> {
        let db = Self::of(Pools::Sqlite(sqlite::Sqlite::open(data_dir).await?));
        migrate::run(&db).await?;
        Ok(db)
    }

    /// Connects to Postgres, whose schema must be one that this program knows (see [`migrate_postgres`]).
    ///
    /// # Errors
    /// [`Error::Away`] where it does not answer; [`Error::Internal`] where the address, the role or the schema is not usable.
    pub async fn open_postgres(settings: &PostgresSettings) -> Result<Self> {
        let db = Self::of(Pools::Postgres(Box::new(Postgres::new(settings)?)));
        migrate::check_postgres(settings).await?;
        Ok(db)
    }

    fn of(pools: Pools) -> Self {
        let inner = Inner {
            pools,
            signals: Signals::default(),
            watch: Watch::default(),
            sealer: OnceLock::new(),
            quotas: OnceLock::new(),
            #[cfg(test)]
            faults: faults::Faults::default(),
        };
        Self { inner: Arc::new(inner), lane: Lane::Desk }
    }

    /// The same database on another lane.
    pub(crate) fn lane(&self, lane: Lane) -> Self {
        Self { inner: self.inner.clone(), lane }
    }

    /// Ends all connections; what runs is finished first.
    pub async fn close(&self) {
        match &self.inner.pools {
            Pools::Sqlite(sqlite) => sqlite.close().await,
            Pools::Postgres(postgres) => postgres.close().await,
        }
    }

    /// Starts a write transaction for `scope`. At most one runs at a time on the embedded engine, so no await in it but SQL.
    ///
    /// # Errors
    /// [`Error::Away`] where no connection was to be had in time.
    pub async fn begin(&self, scope: impl Into<Scope>) -> Result<Tx> {
        touch::cold_write();
        self.open(scope.into(), Mode::Write).await
    }

    /// [`Self::begin`] for notes about work that is done again without them, such as who is at it and what is over: its commit waits for no disk.
    /// It survives this process; with the machine the last of it may go, and never anything that was committed after it.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub(crate) async fn begin_unflushed(&self, scope: impl Into<Scope>) -> Result<Tx> {
        touch::cold_write();
        self.open(scope.into(), Mode::Unflushed).await
    }

    /// [`Self::begin`] for work that was marked where it was handed over (the committer).
    pub(crate) async fn begin_unmarked(&self, scope: impl Into<Scope>) -> Result<Tx> {
        self.open(scope.into(), Mode::Write).await
    }

    /// Starts a transaction for `scope` that only reads, in which every statement sees the same moment.
    ///
    /// # Errors
    /// [`Error::Away`] where no connection was to be had in time.
    pub async fn snapshot(&self, scope: impl Into<Scope>) -> Result<Tx> {
        touch::cold_read();
        self.open(scope.into(), Mode::Snapshot).await
    }

    async fn open(&self, scope: Scope, mode: Mode) -> Result<Tx> {
        in_time()?;
        let side = if mode.only_reads() { Side::Reads } else { Side::Writes };
        match &self.inner.pools {
            Pools::Postgres(postgres) if mode.only_reads() && postgres.has_replicas() => {
                self.open_reading(postgres, scope, mode).await
            }
            Pools::Postgres(postgres) => {
                let begin = async { postgres.begin(self.lane_of(scope), scope, mode).await.map(tx::Open::Postgres) };
                self.opened(side, scope, begin).await
            }
            Pools::Sqlite(sqlite) => {
                let lane = self.lane_of(scope);
                let begin = async { sqlite.begin(lane, mode).await.map(|(open, turn)| tx::Open::Sqlite(open, turn)) };
                self.opened(side, scope, begin).await
            }
        }
    }

    async fn opened(&self, side: Side, scope: Scope, begin: impl Future<Output = Result<tx::Open>>) -> Result<Tx> {
        self.watch().let_in(side)?;
        let open = begin.await;
        self.watch().saw_step(side, &open);
        Ok(Tx::new(open?, self.clone(), scope, side))
    }

    /// Where there are replicas: reports are read there, and where the primary is away whatever decides nothing.
    async fn open_reading(&self, postgres: &Postgres, scope: Scope, mode: Mode) -> Result<Tx> {
        let lane = self.lane_of(scope);
        let primary = async { postgres.begin(lane, scope, mode).await.map(tx::Open::Postgres) };
        if !lane.is_readable_elsewhere() {
            return self.opened(Side::PrimaryReads, scope, primary).await;
        }
        let elsewhere = async |is_away| {
            let session = postgres.begin_elsewhere(scope, mode, is_away).await?;
            Some(Tx::new(tx::Open::Postgres(session), self.clone(), scope, Side::Reads))
        };
        let is_away = self.watch().is_read_only();
        if is_away || lane == Lane::Reports {
            self.watch().let_in(Side::Reads)?;
            if let Some(tx) = elsewhere(is_away).await {
                return Ok(tx);
            }
        }
        if is_away {
            // The last one that could answer.
            return self.opened(Side::Reads, scope, primary).await;
        }
        match self.opened(Side::PrimaryReads, scope, primary).await {
            Err(away @ Error::Away(_)) => {
                // Whether the primary is gone, or only busy, the replicas ask it themselves.
                let found = elsewhere(false).await.ok_or(away);
                self.watch().saw_step(Side::Reads, &found);
                found
            }
            opened => opened,
        }
    }

    /// Reads on one of the embedded engine's readers.
    async fn read<R>(&self, sqlite: &sqlite::Sqlite, read: impl AsyncFnOnce(&mut Link<'_>) -> Result<R>) -> Result<R> {
        in_time()?;
        self.watch().let_in(Side::Reads)?;
        let found = match sqlite.reader().await {
            Ok(mut reader) => read(&mut Link::Sqlite(&mut reader)).await,
            Err(error) => Err(error),
        };
        self.watch().saw(Side::Reads, &found);
        found
    }

    fn lane_of(&self, scope: Scope) -> Lane {
        match scope {
            Scope::Tenant(_) => self.lane,
            Scope::System(System::Shop | System::Audit | System::Nodes) if self.lane == Lane::Reports => Lane::Reports,
            Scope::System(System::Directory | System::Shop) => Lane::Desk,
            Scope::System(_) => Lane::Jobs,
        }
    }

    /// Reads all rows of a statement, outside any transaction.
    ///
    /// # Errors
    /// [`Error`]; nothing is ever changed.
    pub async fn fetch_all<R: Row>(&self, scope: impl Into<Scope>, sql: Sql, values: Vec<Value>) -> Result<Vec<R>> {
        touch::cold_read();
        if let Pools::Sqlite(sqlite) = &self.inner.pools {
            return self.read(sqlite, async |link| rows::fetch_all(link, sql, 0, values).await).await;
        }
        let mut tx = self.open(scope.into(), Mode::Read).await?;
        let found = tx.fetch_all(sql, values).await?;
        tx.rollback().await?;
        Ok(found)
    }

    /// Reads at most one row of a statement, outside any transaction.
    ///
    /// # Errors
    /// [`Error`]; nothing is ever changed.
    pub async fn fetch_optional<R: Row>(
        &self,
        scope: impl Into<Scope>,
        sql: Sql,
        values: Vec<Value>,
    ) -> Result<Option<R>> {
        Ok(self.fetch_all(scope, sql, values).await?.into_iter().next())
    }

    /// Reads for many keys at once; see [`Tx::fetch_rows`].
    ///
    /// # Errors
    /// [`Error`]; nothing is ever changed.
    pub async fn fetch_rows<R: Row, const N: usize>(
        &self,
        scope: impl Into<Scope>,
        sql: Sql,
        fixed: Vec<Value>,
        keys: Vec<[Value; N]>,
    ) -> Result<Vec<R>> {
        touch::cold_read();
        if let Pools::Sqlite(sqlite) = &self.inner.pools {
            return self.read(sqlite, async |link| rows::fetch_rows(link, sql, fixed, keys).await).await;
        }
        let mut tx = self.open(scope.into(), Mode::Read).await?;
        let found = tx.fetch_rows(sql, fixed, keys).await?;
        tx.rollback().await?;
        Ok(found)
    }

    /// Tells the capability table from now on how this store is.
    pub fn report_to(&self, capabilities: Capabilities) {
        self.watch().report_to(capabilities);
    }

    /// Seals with `sealer` from now on; the first one stays.
    pub(crate) fn seal_with(&self, sealer: Sealer) {
        let _first = self.inner.sealer.set(sealer);
    }

    /// Keeps organizations within `quotas` from now on; the first ones stay.
    pub(crate) fn keep_within(&self, quotas: Quotas) {
        let _first = self.inner.quotas.set(quotas);
    }

    /// What an organization may have.
    pub(crate) fn quotas(&self) -> &Quotas {
        self.inner.quotas.get_or_init(Quotas::default)
    }

    /// What seals the answers of idempotency records.
    ///
    /// # Errors
    /// [`Error::Internal`] where this database was opened without one.
    pub(crate) fn sealer(&self) -> Result<&Sealer> {
        self.inner.sealer.get().ok_or_else(|| Error::internal("answers cannot be sealed: no key was given"))
    }

    fn watch(&self) -> &Watch {
        &self.inner.watch
    }

    /// `scope` has just committed: what it reads next holds it.
    fn wrote(&self, scope: Scope) {
        if let Pools::Postgres(postgres) = &self.inner.pools {
            postgres.wrote(scope);
        }
    }

    /// True where other machines can have copies of it.
    pub(crate) fn is_server(&self) -> bool {
        matches!(self.engine(), Engine::Postgres)
    }

    pub(crate) fn engine(&self) -> Engine {
        match &self.inner.pools {
            Pools::Sqlite(_) => Engine::Sqlite,
            Pools::Postgres(_) => Engine::Postgres,
        }
    }

    pub(crate) fn signals(&self) -> &Signals {
        &self.inner.signals
    }

    #[cfg(test)]
    pub(crate) fn faults(&self) -> &faults::Faults {
        &self.inner.faults
    }
}

/// Nothing is begun for a request that nobody waits for any more (P9).
fn in_time() -> Result<()> {
    if Deadline::carried().is_some_and(Deadline::passed) {
        return Err(Error::Away("the request's deadline passed".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
