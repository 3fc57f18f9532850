//! The store layer: pools, transactions, binds and statements, so that each statement of this crate is written once for every engine.
//!
//! Never: a slice's table, an await of anything but SQL inside a write transaction, a wait without limit. Promise: what [`Tx::commit`] returned
//! is on disk (P3); an error says whether anything may have been changed ([`Error`]).
//! To add an engine: a variant of [`Pools`] and of `tx::Open`, its tokens in `sql.rs`, its binds in `value.rs`, its codes in `error.rs`.

pub(crate) mod copy;
mod error;
#[cfg(test)]
pub(crate) mod faults;
mod migrate;
mod rows;
mod signals;
mod sql;
mod sqlite;
mod tx;
mod value;

use std::path::Path;
use std::sync::Arc;

use voelgoed_telemetry::touch;

pub use error::{Error, Result};
pub use rows::Row;
pub use sql::{Sql, sql};
pub use tx::Tx;
pub use value::{Bind, Value};

pub(crate) use signals::Signals;
pub(crate) use value::{binds, row};

/// An engine, as far as texts and binds differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Engine {
    /// The embedded default.
    Sqlite,
}

/// The connections of one engine.
enum Pools {
    /// One writer, some readers, one file.
    Sqlite(sqlite::Sqlite),
}

struct Inner {
    pools: Pools,
    signals: Signals,
    #[cfg(test)]
    faults: faults::Faults,
}

/// The cold tier's database; cheap to clone.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

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
        let pools = Pools::Sqlite(sqlite::Sqlite::open(data_dir).await?);
        let db = Self(Arc::new(Inner {
            pools,
            signals: Signals::default(),
            #[cfg(test)]
            faults: faults::Faults::default(),
        }));
        migrate::run(&db).await?;
        Ok(db)
    }

    /// Ends all connections; what runs is finished first.
    pub async fn close(&self) {
        match &self.0.pools {
            Pools::Sqlite(sqlite) => sqlite.close().await,
        }
    }

    /// Starts a write transaction. At most one runs at a time on the embedded engine, so no await in it but SQL.
    ///
    /// # Errors
    /// [`Error::Away`] where no connection was to be had in time.
    pub async fn begin(&self) -> Result<Tx> {
        touch::cold_write();
        self.begin_unmarked().await
    }

    /// [`Self::begin`] for work that was marked where it was handed over (the committer).
    pub(crate) async fn begin_unmarked(&self) -> Result<Tx> {
        let open = match &self.0.pools {
            Pools::Sqlite(sqlite) => tx::Open::Sqlite(sqlite.begin_write().await?),
        };
        Ok(Tx::new(open, self.clone()))
    }

    /// Starts a transaction that only reads, in which every statement sees the same moment.
    ///
    /// # Errors
    /// [`Error::Away`] where no connection was to be had in time.
    pub async fn snapshot(&self) -> Result<Tx> {
        touch::cold_read();
        let open = match &self.0.pools {
            Pools::Sqlite(sqlite) => tx::Open::Sqlite(sqlite.begin_read().await?),
        };
        Ok(Tx::new(open, self.clone()))
    }

    /// Reads all rows of a statement, outside any transaction.
    ///
    /// # Errors
    /// [`Error`]; nothing is ever changed.
    pub async fn fetch_all<R: Row>(&self, sql: Sql, values: Vec<Value>) -> Result<Vec<R>> {
        touch::cold_read();
        match &self.0.pools {
            Pools::Sqlite(sqlite) => rows::fetch_all(&mut *sqlite.reader().await?, self.engine(), sql, 0, values).await,
        }
    }

    /// Reads at most one row of a statement, outside any transaction.
    ///
    /// # Errors
    /// [`Error`]; nothing is ever changed.
    pub async fn fetch_optional<R: Row>(&self, sql: Sql, values: Vec<Value>) -> Result<Option<R>> {
        Ok(self.fetch_all(sql, values).await?.into_iter().next())
    }

    /// Reads for many keys at once; see [`Tx::fetch_rows`].
    ///
    /// # Errors
    /// [`Error`]; nothing is ever changed.
    pub async fn fetch_rows<R: Row, const N: usize>(
        &self,
        sql: Sql,
        fixed: Vec<Value>,
        keys: Vec<[Value; N]>,
    ) -> Result<Vec<R>> {
        touch::cold_read();
        match &self.0.pools {
            Pools::Sqlite(sqlite) => {
                rows::fetch_rows(&mut *sqlite.reader().await?, self.engine(), sql, fixed, keys).await
            }
        }
    }

    pub(crate) fn engine(&self) -> Engine {
        match &self.0.pools {
            Pools::Sqlite(_) => Engine::Sqlite,
        }
    }

    pub(crate) fn signals(&self) -> &Signals {
        &self.0.signals
    }

    #[cfg(test)]
    pub(crate) fn faults(&self) -> &faults::Faults {
        &self.0.faults
    }
}

#[cfg(test)]
mod tests;
