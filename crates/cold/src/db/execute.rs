//! Executes a statement on one connection, alone or for many rows, and records its duration.
//!
//! Nothing here is generic over the type of a row: a caller passes a function that takes each row, so that the statement's future is compiled once.
//! Never: a statement whose number of rows is not a power of two: each size is a text of its own in the engine's statement cache.

use std::future::ready;

use futures::TryStreamExt;
use sqlx::{AssertSqlSafe, SqliteConnection};
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::cold;

use super::engine_row::{DbRow, EngineRow};
use super::postgres_session::PostgresSession;
use super::{DbResult, Engine, Sql, Value, sql, value};

/// Takes the rows of a statement, one by one.
pub(super) type RowSink<'s> = dyn FnMut(EngineRow<'_>) -> sqlx::Result<()> + Send + 's;

/// Decodes each row and adds it to `found`.
pub(super) fn collect_into<R: DbRow>(
    found: &mut Vec<R>,
) -> impl FnMut(EngineRow<'_>) -> sqlx::Result<()> + Send + use<'_, R> {
    |row| {
        found.push(R::decode(row)?);
        Ok(())
    }
}

const ROWS_PER_STATEMENT_MAX: usize = 256;
/// SQLite takes 32,766 binds, Postgres 65,535.
const BINDS_PER_STATEMENT_MAX: usize = 32_000;

/// The connection that a statement runs on.
pub(super) enum DbConnection<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PostgresSession),
}

impl DbConnection<'_> {
    fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }
}

/// A statement with its binds.
pub(super) struct BoundStatement {
    sql: Sql,
    /// The binds `$1`, `$2`, ….
    fixed: Vec<Value>,
    /// The binds of `{rows:N}`, row after row.
    rows: Vec<Value>,
    /// The binds of one row; zero in a statement without rows.
    width: usize,
}

impl BoundStatement {
    pub(super) fn single(sql: Sql, values: Vec<Value>) -> Self {
        Self { sql, fixed: values, rows: Vec::new(), width: 0 }
    }

    pub(super) fn for_rows<const N: usize>(sql: Sql, fixed: Vec<Value>, rows: Vec<[Value; N]>) -> Self {
        Self { sql, fixed, rows: rows.into_flattened(), width: N }
    }

    /// Cuts rows into statements, each as large as the largest power of two that fits. Binds are in the order of [`sql::expand`].
    fn chunks(self) -> Vec<(usize, Vec<Value>)> {
        let Self { fixed, rows, width, .. } = self;
        if width == 0 {
            return vec![(0, fixed)];
        }
        let mut left = rows.len() / width;
        let mut rows = rows.into_iter();
        let mut cut = Vec::new();
        while left > 0 {
            let count = chunk_size(left, width);
            let chunk = rows.by_ref().take(count * width);
            cut.push((count, chunk.chain(fixed.iter().cloned()).collect()));
            left -= count;
        }
        cut
    }
}

/// Passes each row of the statement to `each`.
pub(super) async fn fetch(
    connection: &mut DbConnection<'_>,
    statement: BoundStatement,
    each: &mut RowSink<'_>,
) -> DbResult<()> {
    let sql = statement.sql;
    for (rows, values) in statement.chunks() {
        let text = AssertSqlSafe(sql::expanded(connection.engine(), sql.text, rows)?);
        let watch = Stopwatch::start();
        let done = match connection {
            DbConnection::Sqlite(connection) => {
                let query = sqlx::query_with(text, value::sqlite_arguments(values)?);
                query.fetch(&mut **connection).try_for_each(|row| ready(each(EngineRow::Sqlite(&row)))).await
            }
            DbConnection::Postgres(session) => {
                let query = sqlx::query_with(text, value::postgres_arguments(values)?);
                let run =
                    |connection| query.fetch(connection).try_for_each(|row| ready(each(EngineRow::Postgres(&row))));
                session.run(run).await
            }
        };
        cold::sql(sql.name, watch.elapsed());
        done?;
    }
    Ok(())
}

/// Runs the statement; returns how many rows it changed.
pub(super) async fn execute(connection: &mut DbConnection<'_>, statement: BoundStatement) -> DbResult<u64> {
    let sql = statement.sql;
    let mut changed = 0;
    for (rows, values) in statement.chunks() {
        let text = AssertSqlSafe(sql::expanded(connection.engine(), sql.text, rows)?);
        let watch = Stopwatch::start();
        let done = match connection {
            DbConnection::Sqlite(connection) => {
                let query = sqlx::query_with(text, value::sqlite_arguments(values)?);
                query.execute(&mut **connection).await.map(|done| done.rows_affected())
            }
            DbConnection::Postgres(session) => {
                let query = sqlx::query_with(text, value::postgres_arguments(values)?);
                session.run(|connection| query.execute(connection)).await.map(|done| done.rows_affected())
            }
        };
        cold::sql(sql.name, watch.elapsed());
        changed += done?;
    }
    Ok(changed)
}

fn chunk_size(left: usize, width: usize) -> usize {
    let size_max = left.min(ROWS_PER_STATEMENT_MAX).min((BINDS_PER_STATEMENT_MAX / width.max(1)).max(1));
    1 << size_max.ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::sql;

    #[test]
    fn rows_are_cut_into_powers_of_two() {
        let sizes = |count: i64, fixed: &[Value]| -> Vec<usize> {
            let rows = (0..count).map(|number| [Value::Int(Some(number))]).collect();
            let cut = BoundStatement::for_rows(sql("test", ""), fixed.to_vec(), rows).chunks();
            for (count, values) in &cut {
                assert_eq!(values.len(), count + fixed.len());
            }
            let numbers: Vec<_> = cut.iter().flat_map(|(count, values)| values[..*count].to_vec()).collect();
            assert_eq!(numbers, (0..count).map(|number| Value::Int(Some(number))).collect::<Vec<_>>(), "in order");
            cut.into_iter().map(|(count, _)| count).collect()
        };
        assert_eq!(sizes(0, &[]), Vec::<usize>::new());
        assert_eq!(sizes(1, &[]), [1]);
        assert_eq!(sizes(7, &[Value::Text(None)]), [4, 2, 1]);
        assert_eq!(sizes(600, &[]), [256, 256, 64, 16, 8]);
        assert_eq!(chunk_size(256, 1000), 32, "wide rows stay below the engines' limits");
    }
}
