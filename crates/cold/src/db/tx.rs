//! A transaction: statements, then commit; dropped without commit, it never happened.
//!
//! Never: an await of anything but SQL between begin and commit (the embedded engine has one writer).

use sqlx::{Sqlite, SqliteConnection, Transaction};
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::cold;

use super::{Db, Engine, Result, Row, Sql, Value, rows};

/// An engine's open transaction.
pub(super) enum Open {
    Sqlite(Transaction<'static, Sqlite>),
}

/// An open transaction.
pub struct Tx {
    open: Open,
    db: Db,
    wrote_jobs: bool,
    wrote_outbox: bool,
}

impl Tx {
    pub(super) fn new(open: Open, db: Db) -> Self {
        Self { open, db, wrote_jobs: false, wrote_outbox: false }
    }

    /// Runs a statement; returns how many rows it changed.
    ///
    /// # Errors
    /// [`super::Error`]; on some engines the transaction can only be dropped after any of them.
    pub async fn execute(&mut self, sql: Sql, values: Vec<Value>) -> Result<u64> {
        let (connection, engine) = self.connection();
        rows::execute(connection, engine, sql, 0, values).await
    }

    /// Runs a statement for many rows: its `{rows:N}` stands for `rows`, its `$1`… for `fixed`. Returns how many rows it changed.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub async fn execute_rows<const N: usize>(
        &mut self,
        sql: Sql,
        fixed: Vec<Value>,
        rows: Vec<[Value; N]>,
    ) -> Result<u64> {
        let (connection, engine) = self.connection();
        rows::execute_rows(connection, engine, sql, fixed, rows).await
    }

    /// Reads all rows of a statement.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub async fn fetch_all<R: Row>(&mut self, sql: Sql, values: Vec<Value>) -> Result<Vec<R>> {
        let (connection, engine) = self.connection();
        rows::fetch_all(connection, engine, sql, 0, values).await
    }

    /// Reads at most one row of a statement.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub async fn fetch_optional<R: Row>(&mut self, sql: Sql, values: Vec<Value>) -> Result<Option<R>> {
        Ok(self.fetch_all(sql, values).await?.into_iter().next())
    }

    /// Reads for many keys (or writes many rows with `returning`): `{rows:N}` stands for `rows`, `$1`… for `fixed`.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub async fn fetch_rows<R: Row, const N: usize>(
        &mut self,
        sql: Sql,
        fixed: Vec<Value>,
        rows: Vec<[Value; N]>,
    ) -> Result<Vec<R>> {
        let (connection, engine) = self.connection();
        rows::fetch_rows(connection, engine, sql, fixed, rows).await
    }

    /// Says that jobs were written: their runner hears of it after the commit.
    pub(crate) fn wrote_jobs(&mut self) {
        self.wrote_jobs = true;
    }

    /// Says that outbox rows were written: the relay hears of it after the commit.
    pub(crate) fn wrote_outbox(&mut self) {
        self.wrote_outbox = true;
    }

    /// Makes it durable (P3).
    ///
    /// # Errors
    /// [`super::Error::Ambiguous`] where nobody knows whether it was; others say that it was not.
    pub async fn commit(self) -> Result<()> {
        let Self { open, db, wrote_jobs, wrote_outbox } = self;
        #[cfg(test)]
        db.faults().before_commit()?;
        let watch = Stopwatch::start();
        let committed = match open {
            Open::Sqlite(transaction) => transaction.commit().await,
        };
        cold::sql("commit", watch.elapsed());
        committed.map_err(|error| super::Error::from(error).at_commit())?;
        if wrote_jobs {
            db.signals().jobs().ring();
        }
        if wrote_outbox {
            db.signals().outbox().ring();
        }
        #[cfg(test)]
        db.faults().after_commit()?;
        Ok(())
    }

    /// Undoes it now, so that the connection is free when this returns.
    ///
    /// # Errors
    /// [`super::Error::Away`]; it is undone all the same.
    pub async fn rollback(self) -> Result<()> {
        match self.open {
            Open::Sqlite(transaction) => Ok(transaction.rollback().await?),
        }
    }

    fn connection(&mut self) -> (&mut SqliteConnection, Engine) {
        match &mut self.open {
            Open::Sqlite(transaction) => (&mut *transaction, Engine::Sqlite),
        }
    }
}
