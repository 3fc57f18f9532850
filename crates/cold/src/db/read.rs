//! Reads rows outside any transaction of the caller: SQLite on a reader connection, Postgres in a read-only transaction of one statement.

use futures::future::BoxFuture;
use voelgoed_telemetry::touch;

use super::execute::{self, BoundStatement, DbConnection, RowSink, collect_into};
use super::scope::TxMode;
use super::server_health::Endpoint;
use super::sqlite::Sqlite;
use super::{Db, DbResult, DbRow, Pools, Sql, TxScope, Value, check_deadline};

impl Db {
    /// Reads all rows of a statement.
    ///
    /// # Errors
    /// [`super::DbError`]; a read changes nothing.
    pub async fn fetch_all<R: DbRow>(
        &self,
        scope: impl Into<TxScope>,
        sql: Sql,
        values: Vec<Value>,
    ) -> DbResult<Vec<R>> {
        let mut found = Vec::new();
        self.read(scope.into(), BoundStatement::single(sql, values), &mut collect_into(&mut found)).await?;
        Ok(found)
    }

    /// Reads at most one row of a statement.
    ///
    /// # Errors
    /// [`super::DbError`]; a read changes nothing.
    pub async fn fetch_optional<R: DbRow>(
        &self,
        scope: impl Into<TxScope>,
        sql: Sql,
        values: Vec<Value>,
    ) -> DbResult<Option<R>> {
        Ok(self.fetch_all(scope, sql, values).await?.into_iter().next())
    }

    /// Reads for many keys at once; see [`super::Tx::fetch_rows`].
    ///
    /// # Errors
    /// [`super::DbError`]; a read changes nothing.
    pub async fn fetch_rows<R: DbRow, const N: usize>(
        &self,
        scope: impl Into<TxScope>,
        sql: Sql,
        fixed: Vec<Value>,
        keys: Vec<[Value; N]>,
    ) -> DbResult<Vec<R>> {
        let mut found = Vec::new();
        self.read(scope.into(), BoundStatement::for_rows(sql, fixed, keys), &mut collect_into(&mut found)).await?;
        Ok(found)
    }

    /// Boxed, so that the futures of callers hold a pointer instead of a copy of the read's future.
    fn read<'r>(
        &'r self,
        scope: TxScope,
        statement: BoundStatement,
        each: &'r mut RowSink<'_>,
    ) -> BoxFuture<'r, DbResult<()>> {
        Box::pin(async move {
            touch::cold_read();
            match &self.inner.pools {
                Pools::Sqlite(sqlite) => self.read_sqlite(sqlite, statement, each).await,
                Pools::Postgres(_) => {
                    let mut tx = self.open(scope, TxMode::Read).await?;
                    tx.fetch(statement, each).await?;
                    tx.rollback().await
                }
            }
        })
    }

    async fn read_sqlite(&self, sqlite: &Sqlite, statement: BoundStatement, each: &mut RowSink<'_>) -> DbResult<()> {
        check_deadline()?;
        self.server_health().check(Endpoint::Reads)?;
        let done = match sqlite.reader().await {
            Ok(mut reader) => execute::fetch(&mut DbConnection::Sqlite(&mut reader), statement, each).await,
            Err(error) => Err(error),
        };
        self.server_health().record(Endpoint::Reads, &done);
        done
    }
}
