//! Opens the embedded engine: one SQLite file in WAL mode with one writer connection and several readers.
//!
//! Never: `synchronous` below FULL except in an unflushed transaction (P3; every writing transaction sets it at its begin), a second writer connection
//! in this process, a wait beyond [`LOCK_TIMEOUT`].

use std::path::Path;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, Sqlite as Engine, SqliteConnection, Transaction};
use tokio::time::timeout;

use super::writer_queue::{WritePermit, WriterQueue};
use super::{DbError, DbResult, PoolClass, TxMode};

/// The name of the database file in the data directory.
pub(crate) const DATABASE_FILE: &str = "voelgoed.sqlite";
/// The limit of the wait for a connection, or for another process's lock.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
/// Each reader is a thread, and reads are short.
const READERS_MAX: u32 = 8;
/// Per connection; each text has up to nine sizes (`execute.rs`).
const STATEMENT_CACHE_CAPACITY: usize = 1_024;
/// Page cache of the writer. SQLite takes a negative number as KiB, a positive one as pages.
const WRITER_CACHE_KIB: &str = "-65536";

pub(super) struct Sqlite {
    writer: SqlitePool,
    writer_queue: WriterQueue,
    readers: SqlitePool,
}

impl Sqlite {
    pub(super) async fn open(data_dir: &Path) -> DbResult<Self> {
        std::fs::create_dir_all(data_dir)
            .map_err(|error| DbError::Unavailable(format!("cannot create {}: {error}", data_dir.display())))?;
        let options = SqliteConnectOptions::new()
            .filename(data_dir.join(DATABASE_FILE))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(LOCK_TIMEOUT)
            .foreign_keys(true)
            .statement_cache_capacity(STATEMENT_CACHE_CAPACITY)
            .pragma("temp_store", "memory");
        let pool = |size_max| {
            SqlitePoolOptions::new().max_connections(size_max).acquire_timeout(LOCK_TIMEOUT).test_before_acquire(false)
        };
        // The connection lives as long as the process. It is replaced after a failed commit, because the driver then still counts a transaction that
        // the engine has rolled back.
        let writer = pool(1)
            .before_acquire(|connection, _| Box::pin(is_reusable(connection)))
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone().pragma("cache_size", WRITER_CACHE_KIB))
            .await?;
        let readers = pool(READERS_MAX).connect_lazy_with(options.pragma("query_only", "on"));
        Ok(Self { writer, writer_queue: WriterQueue::default(), readers })
    }

    /// Begins a transaction; a writing one comes with a permit that the caller keeps until the transaction has ended.
    pub(super) async fn begin(
        &self,
        pool_class: PoolClass,
        mode: TxMode,
    ) -> DbResult<(Transaction<'static, Engine>, Option<WritePermit>)> {
        let begin = match mode {
            TxMode::Write => "pragma synchronous = full; begin immediate",
            TxMode::Unflushed => "pragma synchronous = normal; begin immediate",
            TxMode::Read | TxMode::Snapshot => return Ok((self.readers.begin().await?, None)),
        };
        let permit = timeout(LOCK_TIMEOUT, self.writer_queue.acquire(pool_class)).await;
        let permit = permit.map_err(|_| DbError::Unavailable("the writer was busy for too long".to_owned()))??;
        Ok((self.writer.begin_with(begin).await?, Some(permit)))
    }

    /// The writer connection outside any transaction, for statements that cannot run in one.
    pub(super) async fn writer(&self) -> DbResult<PoolConnection<Engine>> {
        Ok(self.writer.acquire().await?)
    }

    pub(super) async fn reader(&self) -> DbResult<PoolConnection<Engine>> {
        Ok(self.readers.acquire().await?)
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// True where no transaction is open on the connection, after a rollback that may still be on its way.
async fn is_reusable(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
    if connection.is_in_transaction() {
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}
