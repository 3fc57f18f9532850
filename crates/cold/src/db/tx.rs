//! Runs statements in a transaction, commits it and then wakes runners and counts issued tickets. Dropping it without a commit rolls it back.
//!
//! Never: an await of anything but SQL between begin and commit (the embedded engine has one writer).

use futures::future::BoxFuture;
use sqlx::{Sqlite, Transaction};
use uuid::Uuid;
use voelgoed_app::accounts::quotas::Quotas;
use voelgoed_app::sealing::Sealer;
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::checkout::tickets_issued;
use voelgoed_telemetry::metrics::cold;

use super::execute::{self, BoundStatement, DbConnection, RowSink, collect_into};
use super::postgres_session::PostgresSession;
use super::server_health::Endpoint;
use super::writer_queue::WritePermit;
use super::{Db, DbError, DbResult, DbRow, Sql, TxScope, Value};

/// An engine's open transaction.
pub(super) enum OpenTransaction {
    /// With the permit of a writing transaction, which is dropped after the transaction.
    Sqlite(Transaction<'static, Sqlite>, Option<WritePermit>),
    Postgres(PostgresSession),
}

/// An open transaction; dropping it rolls it back.
pub struct Tx {
    open: OpenTransaction,
    db: Db,
    endpoint: Endpoint,
    /// Rows were changed, so the commit writes to the disk and its outcome shows the health of the store.
    changed: bool,
    scope: TxScope,
    /// A statement has failed: Postgres would answer a commit with a silent rollback.
    failed: bool,
    wake_jobs_after_commit: bool,
    wake_relay_after_commit: bool,
    /// Events with the number of tickets issued for each.
    issued: Vec<(Uuid, u64)>,
}

impl Tx {
    pub(super) fn new(open: OpenTransaction, db: Db, scope: TxScope, endpoint: Endpoint) -> Self {
        let issued = Vec::new();
        Self {
            open,
            db,
            scope,
            endpoint,
            changed: false,
            failed: false,
            wake_jobs_after_commit: false,
            wake_relay_after_commit: false,
            issued,
        }
    }

    /// Runs a statement; returns how many rows it changed.
    ///
    /// # Errors
    /// [`super::DbError`]; after an error the transaction can only be dropped.
    pub async fn execute(&mut self, sql: Sql, values: Vec<Value>) -> DbResult<u64> {
        self.run(BoundStatement::single(sql, values)).await
    }

    /// Runs a statement for many rows: `{rows:N}` binds `rows`, `$1`… bind `fixed`. Returns how many rows it changed.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub async fn execute_rows<const N: usize>(
        &mut self,
        sql: Sql,
        fixed: Vec<Value>,
        rows: Vec<[Value; N]>,
    ) -> DbResult<u64> {
        self.run(BoundStatement::for_rows(sql, fixed, rows)).await
    }

    /// Reads all rows of a statement.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub async fn fetch_all<R: DbRow>(&mut self, sql: Sql, values: Vec<Value>) -> DbResult<Vec<R>> {
        let mut found = Vec::new();
        self.fetch(BoundStatement::single(sql, values), &mut collect_into(&mut found)).await?;
        Ok(found)
    }

    /// Reads at most one row of a statement.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub async fn fetch_optional<R: DbRow>(&mut self, sql: Sql, values: Vec<Value>) -> DbResult<Option<R>> {
        Ok(self.fetch_all(sql, values).await?.into_iter().next())
    }

    /// Reads for many keys, or writes many rows with `returning`: `{rows:N}` binds `rows`, `$1`… bind `fixed`.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub async fn fetch_rows<R: DbRow, const N: usize>(
        &mut self,
        sql: Sql,
        fixed: Vec<Value>,
        rows: Vec<[Value; N]>,
    ) -> DbResult<Vec<R>> {
        let mut found = Vec::new();
        self.fetch(BoundStatement::for_rows(sql, fixed, rows), &mut collect_into(&mut found)).await?;
        Ok(found)
    }

    /// Boxed, so that the futures of callers hold a pointer instead of a copy of the statement's future.
    fn run(&mut self, statement: BoundStatement) -> BoxFuture<'_, DbResult<u64>> {
        Box::pin(async move {
            let done = execute::execute(&mut self.connection(), statement).await;
            self.changed |= matches!(done, Ok(1..));
            self.record_outcome(done)
        })
    }

    /// Passes each row to `each`; boxed as [`Self::run`].
    pub(super) fn fetch<'t>(
        &'t mut self,
        statement: BoundStatement,
        each: &'t mut RowSink<'_>,
    ) -> BoxFuture<'t, DbResult<()>> {
        Box::pin(async move {
            let done = execute::fetch(&mut self.connection(), statement, each).await;
            self.record_outcome(done)
        })
    }

    pub(crate) fn quotas(&self) -> &Quotas {
        self.db.quotas()
    }

    /// The key that seals the stored answers of idempotency records.
    ///
    /// # Errors
    /// As [`Db::sealer`].
    pub(crate) fn sealer(&self) -> DbResult<&Sealer> {
        self.db.sealer()
    }

    pub(crate) fn wake_jobs_after_commit(&mut self) {
        self.wake_jobs_after_commit = true;
    }

    pub(crate) fn wake_relay_after_commit(&mut self) {
        self.wake_relay_after_commit = true;
    }

    /// Counts issued tickets in the metrics once the transaction is committed.
    pub(crate) fn count_issued_after_commit(&mut self, event: Uuid, tickets: u64) {
        self.issued.push((event, tickets));
    }

    /// Commits durably (P3).
    ///
    /// # Errors
    /// [`super::DbError::Ambiguous`] where the commit may have happened; after every other error it has not.
    pub fn commit(self) -> BoxFuture<'static, DbResult<()>> {
        Box::pin(self.commit_unboxed())
    }

    async fn commit_unboxed(self) -> DbResult<()> {
        let Self {
            open,
            db,
            scope,
            endpoint,
            changed,
            failed,
            wake_jobs_after_commit,
            wake_relay_after_commit,
            issued,
        } = self;
        if failed {
            return Err(DbError::internal(
                "a transaction with a failed statement was to be committed; nothing was changed",
            ));
        }
        #[cfg(test)]
        db.commit_faults().before_commit()?;
        let watch = Stopwatch::start();
        let committed = match open {
            OpenTransaction::Sqlite(transaction, _permit) => transaction.commit().await.map_err(DbError::from),
            OpenTransaction::Postgres(session) => session.commit().await,
        };
        cold::sql("commit", watch.elapsed());
        // Also after an error: the commit may have happened.
        db.record_write(scope);
        let committed = committed.map_err(DbError::during_commit);
        if changed || committed.is_err() {
            db.server_health().record(endpoint, &committed);
        }
        committed?;
        if wake_jobs_after_commit {
            db.wakeups().jobs().wake();
        }
        if wake_relay_after_commit {
            db.wakeups().outbox().wake();
        }
        for (event, tickets) in issued {
            tickets_issued(event, tickets);
        }
        #[cfg(test)]
        db.commit_faults().after_commit()?;
        Ok(())
    }

    /// Rolls back now, so that the connection is free when this returns.
    ///
    /// # Errors
    /// [`super::DbError::Unavailable`]; the server rolls back all the same.
    pub fn rollback(self) -> BoxFuture<'static, DbResult<()>> {
        Box::pin(async move {
            match self.open {
                OpenTransaction::Sqlite(transaction, _permit) => Ok(transaction.rollback().await?),
                OpenTransaction::Postgres(session) => session.rollback().await,
            }
        })
    }

    /// Records the outcome of a statement. Success inside a writing transaction shows nothing yet: only its commit does.
    fn record_outcome<T>(&mut self, done: DbResult<T>) -> DbResult<T> {
        self.failed |= done.is_err();
        match self.endpoint {
            Endpoint::Reads | Endpoint::PrimaryReads => self.db.server_health().record(self.endpoint, &done),
            Endpoint::Writes => self.db.server_health().record_failure(Endpoint::Writes, &done),
        }
        done
    }

    fn connection(&mut self) -> DbConnection<'_> {
        match &mut self.open {
            OpenTransaction::Sqlite(transaction, _) => DbConnection::Sqlite(transaction),
            OpenTransaction::Postgres(session) => DbConnection::Postgres(session),
        }
    }
}
