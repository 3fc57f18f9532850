//! Runs statements in a transaction, commits it and then wakes runners and counts issued tickets. Dropping it without a commit rolls it back.
//!
//! Never: an await of anything but SQL between begin and commit (the embedded engine has one writer).

use sqlx::{Sqlite, Transaction};
use uuid::Uuid;
use voelgoed_app::accounts::quotas::Quotas;
use voelgoed_app::sealing::Sealer;
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::checkout::tickets_issued;
use voelgoed_telemetry::metrics::cold;

use super::execute::{self, DbConnection};
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
        let done = execute::execute(&mut self.connection(), sql, 0, values).await;
        self.changed |= matches!(done, Ok(1..));
        self.record_outcome(done)
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
        let done = execute::execute_rows(&mut self.connection(), sql, fixed, rows).await;
        self.changed |= matches!(done, Ok(1..));
        self.record_outcome(done)
    }

    /// Reads all rows of a statement.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub async fn fetch_all<R: DbRow>(&mut self, sql: Sql, values: Vec<Value>) -> DbResult<Vec<R>> {
        let done = execute::fetch_all(&mut self.connection(), sql, 0, values).await;
        self.record_outcome(done)
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
        let done = execute::fetch_rows(&mut self.connection(), sql, fixed, rows).await;
        self.record_outcome(done)
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
    pub async fn commit(self) -> DbResult<()> {
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
    pub async fn rollback(self) -> DbResult<()> {
        match self.open {
            OpenTransaction::Sqlite(transaction, _permit) => Ok(transaction.rollback().await?),
            OpenTransaction::Postgres(session) => session.rollback().await,
        }
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
