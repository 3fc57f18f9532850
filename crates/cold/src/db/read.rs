//! Reads rows outside any transaction of the caller: SQLite on a reader connection, Postgres in a read-only transaction of one statement.

use voelgoed_telemetry::touch;

use super::execute::{self, DbConnection};
use super::scope::TxMode;
use super::server_health::Endpoint;
use super::{Db, DbResult, DbRow, Pools, Sql, TxScope, Value, check_deadline, sqlite};

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
        touch::cold_read();
        if let Pools::Sqlite(sqlite) = &self.inner.pools {
            return self.read(sqlite, async |reader| execute::fetch_all(reader, sql, 0, values).await).await;
        }
        let mut tx = self.open(scope.into(), TxMode::Read).await?;
        let found = tx.fetch_all(sql, values).await?;
        tx.rollback().await?;
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
        touch::cold_read();
        if let Pools::Sqlite(sqlite) = &self.inner.pools {
            return self.read(sqlite, async |reader| execute::fetch_rows(reader, sql, fixed, keys).await).await;
        }
        let mut tx = self.open(scope.into(), TxMode::Read).await?;
        let found = tx.fetch_rows(sql, fixed, keys).await?;
        tx.rollback().await?;
        Ok(found)
    }

    async fn read<R>(
        &self,
        sqlite: &sqlite::Sqlite,
        read: impl AsyncFnOnce(&mut DbConnection<'_>) -> DbResult<R>,
    ) -> DbResult<R> {
        check_deadline()?;
        self.server_health().check(Endpoint::Reads)?;
        let found = match sqlite.reader().await {
            Ok(mut reader) => read(&mut DbConnection::Sqlite(&mut reader)).await,
            Err(error) => Err(error),
        };
        self.server_health().record(Endpoint::Reads, &found);
        found
    }
}
