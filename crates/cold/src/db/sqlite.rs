//! The embedded engine: one file, one writer connection, some readers.
//!
//! Never: `synchronous` below FULL but in a transaction that asked for it (P3; so every one says which it wants), a second writer connection in this process, a wait beyond [`WAIT`].

use std::path::Path;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, Sqlite as Engine, SqliteConnection, Transaction};
use tokio::time::timeout;

use super::turns::{Turn, Turns};
use super::{Error, Lane, Mode, Result};

/// The database's file in the data directory.
pub(crate) const FILE: &str = "voelgoed.sqlite";
/// The longest wait for a connection, or for another process's lock.
const WAIT: Duration = Duration::from_secs(5);
/// Readers; each is a thread, and reads are short.
const READERS: u32 = 8;
/// Prepared statements kept per connection: each text has up to nine sizes (`rows.rs`).
const STATEMENTS: usize = 1_024;
/// Page cache of the writer, in KiB (negative is SQLite's way to say so).
const WRITER_CACHE: &str = "-65536";

pub(super) struct Sqlite {
    writer: SqlitePool,
    turns: Turns,
    readers: SqlitePool,
}

impl Sqlite {
    pub(super) async fn open(data_dir: &Path) -> Result<Self> {
        std::fs::create_dir_all(data_dir)
            .map_err(|error| Error::Away(format!("cannot make {}: {error}", data_dir.display())))?;
        let options = SqliteConnectOptions::new()
            .filename(data_dir.join(FILE))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(WAIT)
            .foreign_keys(true)
            .statement_cache_capacity(STATEMENTS)
            .pragma("temp_store", "memory");
        let pool =
            |most| SqlitePoolOptions::new().max_connections(most).acquire_timeout(WAIT).test_before_acquire(false);
        // The connection lives as long as the process: nothing of it is worth making anew, unless a commit failed on it, after which the driver still
        // counts a transaction that the engine has undone.
        let writer = pool(1)
            .before_acquire(|connection, _| Box::pin(unless_torn(connection)))
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone().pragma("cache_size", WRITER_CACHE))
            .await?;
        let readers = pool(READERS).connect_lazy_with(options.pragma("query_only", "on"));
        Ok(Self { writer, turns: Turns::default(), readers })
    }

    /// A transaction; one that writes comes with the turn that it has to keep until it is over.
    pub(super) async fn begin(&self, lane: Lane, mode: Mode) -> Result<(Transaction<'static, Engine>, Option<Turn>)> {
        let how = match mode {
            Mode::Write => "pragma synchronous = full; begin immediate",
            Mode::Unflushed => "pragma synchronous = normal; begin immediate",
            Mode::Read | Mode::Snapshot => return Ok((self.readers.begin().await?, None)),
        };
        let turn = timeout(WAIT, self.turns.take(lane)).await;
        let turn = turn.map_err(|_| Error::Away("the writer was busy for too long".to_owned()))??;
        Ok((self.writer.begin_with(how).await?, Some(turn)))
    }

    /// The writer outside of any transaction, for what cannot run in one.
    pub(super) async fn writer(&self) -> Result<PoolConnection<Engine>> {
        Ok(self.writer.acquire().await?)
    }

    pub(super) async fn reader(&self) -> Result<PoolConnection<Engine>> {
        Ok(self.readers.acquire().await?)
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Whether a connection can begin something; a rollback that is still on its way to it is waited for.
async fn unless_torn(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
    if connection.is_in_transaction() {
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}
