//! Runs one transaction on a pooled Postgres connection, each statement with a client timeout.
//!
//! Never: a connection of unknown state in a pool; a session that is dropped before the reply closes its connection.

use std::io::ErrorKind;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, PgConnection, Postgres as Engine};

use super::{DbError, DbResult};

/// A connection inside a transaction. If dropped before its end, it is rolled back and returned to the pool, or closed if its state is unknown.
pub(super) struct PostgresSession {
    connection: Option<PoolConnection<Engine>>,
    client_timeout: Duration,
    /// A reply is outstanding, so the next bytes on the connection may belong to it.
    state_is_unknown: bool,
}

impl PostgresSession {
    /// Begins a transaction. A connection that the server closed while it was idle fails here, before any statement, and is replaced.
    pub(super) async fn begin(pool: &PgPool, client_timeout: Duration, text: &str) -> DbResult<Self> {
        let mut retries_left = pool.options().get_max_connections();
        loop {
            let mut session = Self { connection: Some(pool.acquire().await?), client_timeout, state_is_unknown: false };
            match session.run_raw(text).await {
                Ok(()) => return Ok(session),
                Err(error) if retries_left > 0 && has_closed(&error) => retries_left -= 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub(super) async fn commit(mut self) -> DbResult<()> {
        self.end("commit").await
    }

    pub(super) async fn rollback(mut self) -> DbResult<()> {
        self.end("rollback").await
    }

    async fn end(&mut self, text: &str) -> DbResult<()> {
        let done = self.run_raw(text).await.map_err(DbError::from);
        if done.is_ok() {
            drop(self.connection.take());
        }
        done
    }

    /// Runs a statement with the client timeout.
    pub(super) async fn run<'c, T, F>(
        &'c mut self,
        statement: impl FnOnce(&'c mut PgConnection) -> F,
    ) -> sqlx::Result<T>
    where
        F: Future<Output = sqlx::Result<T>> + 'c,
    {
        let Some(connection) = &mut self.connection else { return Err(sqlx::Error::WorkerCrashed) };
        // Set before the await, because this future may be dropped before the reply.
        self.state_is_unknown = true;
        let reply = match tokio::time::timeout(self.client_timeout, statement(connection)).await {
            Ok(reply) => reply,
            Err(_) => Err(sqlx::Error::Io(ErrorKind::TimedOut.into())),
        };
        self.state_is_unknown = reply.as_ref().is_err_and(|error| !matches!(error, sqlx::Error::Database(_)));
        reply
    }

    async fn run_raw(&mut self, text: &str) -> sqlx::Result<()> {
        let text = AssertSqlSafe(text.to_owned());
        self.run(|connection| async { sqlx::raw_sql(text).execute(connection).await.map(drop) }).await
    }
}

impl Drop for PostgresSession {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if self.state_is_unknown {
            connection.close_on_drop();
            return;
        }
        let client_timeout = self.client_timeout;
        #[expect(
            clippy::disallowed_methods,
            reason = "one round trip with a timeout; the pool waits for the connection"
        )]
        tokio::spawn(async move {
            let undo = sqlx::raw_sql("rollback").execute(&mut *connection);
            if !matches!(tokio::time::timeout(client_timeout, undo).await, Ok(Ok(_))) {
                connection.close_on_drop();
            }
        });
    }
}

/// True where the server closed the connection, as opposed to a timeout.
fn has_closed(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() != ErrorKind::TimedOut,
        // Class 57P: the server shuts down or has crashed.
        sqlx::Error::Database(refused) => refused.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}
