//! A transaction: statements, then commit; dropped without commit, it never happened.
//!
//! Never: an await of anything but SQL between begin and commit (the embedded engine has one writer).

use sqlx::{Sqlite, Transaction};
use uuid::Uuid;
use voelgoed_app::accounts::quotas::Quotas;
use voelgoed_app::sealing::Sealer;
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::checkout::tickets_issued;
use voelgoed_telemetry::metrics::cold;

use super::postgres::Session;
use super::rows::{self, Link};
use super::turns::Turn;
use super::watch::Side;
use super::{Db, Error, Result, Row, Scope, Sql, Value};

/// An engine's open transaction.
pub(super) enum Open {
    /// With its turn at the writer, where it writes: given back after the transaction is.
    Sqlite(Transaction<'static, Sqlite>, Option<Turn>),
    Postgres(Session),
}

/// An open transaction.
pub struct Tx {
    open: Open,
    db: Db,
    side: Side,
    /// Rows were changed, so that its commit reaches the disk and shows how the store is.
    changed: bool,
    scope: Scope,
    /// A statement was refused: some engines undo the whole at its end, and do not say so.
    failed: bool,
    wrote_jobs: bool,
    wrote_outbox: bool,
    /// Events with how many tickets were issued for them.
    issued: Vec<(Uuid, u64)>,
}

impl Tx {
    pub(super) fn new(open: Open, db: Db, scope: Scope, side: Side) -> Self {
        let issued = Vec::new();
        Self { open, db, scope, side, changed: false, failed: false, wrote_jobs: false, wrote_outbox: false, issued }
    }

    /// Runs a statement; returns how many rows it changed.
    ///
    /// # Errors
    /// [`super::Error`]; after any of them the transaction can only be dropped.
    pub async fn execute(&mut self, sql: Sql, values: Vec<Value>) -> Result<u64> {
        let done = rows::execute(&mut self.link(), sql, 0, values).await;
        self.changed |= matches!(done, Ok(1..));
        self.seen(done)
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
        let done = rows::execute_rows(&mut self.link(), sql, fixed, rows).await;
        self.changed |= matches!(done, Ok(1..));
        self.seen(done)
    }

    /// Reads all rows of a statement.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub async fn fetch_all<R: Row>(&mut self, sql: Sql, values: Vec<Value>) -> Result<Vec<R>> {
        let done = rows::fetch_all(&mut self.link(), sql, 0, values).await;
        self.seen(done)
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
        let done = rows::fetch_rows(&mut self.link(), sql, fixed, rows).await;
        self.seen(done)
    }

    /// What an organization may have.
    pub(crate) fn quotas(&self) -> &Quotas {
        self.db.quotas()
    }

    /// What seals the answers of idempotency records.
    ///
    /// # Errors
    /// As [`Db::sealer`].
    pub(crate) fn sealer(&self) -> Result<&Sealer> {
        self.db.sealer()
    }

    /// Says that jobs were written: their runner hears of it after the commit.
    pub(crate) fn wrote_jobs(&mut self) {
        self.wrote_jobs = true;
    }

    /// Says that outbox rows were written: the relay hears of it after the commit.
    pub(crate) fn wrote_outbox(&mut self) {
        self.wrote_outbox = true;
    }

    /// Says that tickets were issued: they are counted after the commit, and not where there is none.
    pub(crate) fn issued(&mut self, event: Uuid, tickets: u64) {
        self.issued.push((event, tickets));
    }

    /// Makes it durable (P3).
    ///
    /// # Errors
    /// [`super::Error::Ambiguous`] where nobody knows whether it was; others say that it was not.
    pub async fn commit(self) -> Result<()> {
        let Self { open, db, scope, side, changed, failed, wrote_jobs, wrote_outbox, issued } = self;
        if failed {
            return Err(Error::internal("a transaction was to be committed after one of its statements had failed"));
        }
        #[cfg(test)]
        db.faults().before_commit()?;
        let watch = Stopwatch::start();
        let committed = match open {
            Open::Sqlite(transaction, _turn) => transaction.commit().await.map_err(Error::from),
            Open::Postgres(session) => session.commit().await,
        };
        cold::sql("commit", watch.elapsed());
        // Also where the answer was lost: it may have happened.
        db.wrote(scope);
        let committed = committed.map_err(Error::at_commit);
        if changed || committed.is_err() {
            db.watch().saw(side, &committed);
        }
        committed?;
        if wrote_jobs {
            db.signals().jobs().ring();
        }
        if wrote_outbox {
            db.signals().outbox().ring();
        }
        for (event, tickets) in issued {
            tickets_issued(event, tickets);
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
            Open::Sqlite(transaction, _turn) => Ok(transaction.rollback().await?),
            Open::Postgres(session) => session.rollback().await,
        }
    }

    /// What a statement's end says of the transaction and of the store: a read that is no part of a write shows that reads work.
    fn seen<T>(&mut self, done: Result<T>) -> Result<T> {
        self.failed |= done.is_err();
        match self.side {
            Side::Reads | Side::PrimaryReads => self.db.watch().saw(self.side, &done),
            Side::Writes => self.db.watch().saw_step(Side::Writes, &done),
        }
        done
    }

    fn link(&mut self) -> Link<'_> {
        match &mut self.open {
            Open::Sqlite(transaction, _) => Link::Sqlite(transaction),
            Open::Postgres(session) => Link::Postgres(session),
        }
    }
}
