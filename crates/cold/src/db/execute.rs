//! Executes a statement on one connection, alone or for many rows, and records its duration.
//!
//! Never: a statement whose number of rows is not a power of two: each size is a text of its own in the engine's statement cache.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, FromRow, SqliteConnection};
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::cold;

use super::postgres_session::PostgresSession;
use super::{DbResult, Engine, Sql, Value, sql, value};

/// A row that can be decoded from every engine; implemented by `#[derive(sqlx::FromRow)]`.
pub trait DbRow: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static {}
impl<T> DbRow for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static {}

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

pub(super) async fn fetch_all<R: DbRow>(
    connection: &mut DbConnection<'_>,
    sql: Sql,
    rows: usize,
    values: Vec<Value>,
) -> DbResult<Vec<R>> {
    let text = AssertSqlSafe(sql::expanded(connection.engine(), sql.text, rows)?);
    let watch = Stopwatch::start();
    let found = match connection {
        DbConnection::Sqlite(connection) => {
            let arguments = value::sqlite_arguments(values)?;
            sqlx::query_as_with::<_, R, _>(text, arguments).fetch_all(&mut **connection).await
        }
        DbConnection::Postgres(session) => {
            let arguments = value::postgres_arguments(values)?;
            session.run(|connection| sqlx::query_as_with::<_, R, _>(text, arguments).fetch_all(connection)).await
        }
    };
    cold::sql(sql.name, watch.elapsed());
    Ok(found?)
}

pub(super) async fn execute(
    connection: &mut DbConnection<'_>,
    sql: Sql,
    rows: usize,
    values: Vec<Value>,
) -> DbResult<u64> {
    let text = AssertSqlSafe(sql::expanded(connection.engine(), sql.text, rows)?);
    let watch = Stopwatch::start();
    let done = match connection {
        DbConnection::Sqlite(connection) => {
            let arguments = value::sqlite_arguments(values)?;
            let query = sqlx::query_with(text, arguments);
            query.execute(&mut **connection).await.map(|done| done.rows_affected())
        }
        DbConnection::Postgres(session) => {
            let arguments = value::postgres_arguments(values)?;
            let query = sqlx::query_with(text, arguments);
            session.run(|connection| query.execute(connection)).await.map(|done| done.rows_affected())
        }
    };
    cold::sql(sql.name, watch.elapsed());
    Ok(done?)
}

pub(super) async fn fetch_rows<R: DbRow, const N: usize>(
    connection: &mut DbConnection<'_>,
    sql: Sql,
    fixed: Vec<Value>,
    rows: Vec<[Value; N]>,
) -> DbResult<Vec<R>> {
    let mut found = Vec::new();
    for (count, values) in chunks(&fixed, rows) {
        found.extend(fetch_all(connection, sql, count, values).await?);
    }
    Ok(found)
}

pub(super) async fn execute_rows<const N: usize>(
    connection: &mut DbConnection<'_>,
    sql: Sql,
    fixed: Vec<Value>,
    rows: Vec<[Value; N]>,
) -> DbResult<u64> {
    let mut changed = 0;
    for (count, values) in chunks(&fixed, rows) {
        changed += execute(connection, sql, count, values).await?;
    }
    Ok(changed)
}

/// Cuts rows into statements, each as large as the largest power of two that fits. Binds are in the order of [`sql::expand`].
fn chunks<const N: usize>(fixed: &[Value], rows: Vec<[Value; N]>) -> Vec<(usize, Vec<Value>)> {
    let mut left = rows.len();
    let mut rows = rows.into_iter();
    let mut cut = Vec::new();
    while left > 0 {
        let count = chunk_size(left, N);
        let chunk = rows.by_ref().take(count).flatten();
        let values = chunk.chain(fixed.iter().cloned()).collect();
        cut.push((count, values));
        left -= count;
    }
    cut
}

fn chunk_size(left: usize, width: usize) -> usize {
    let size_max = left.min(ROWS_PER_STATEMENT_MAX).min((BINDS_PER_STATEMENT_MAX / width.max(1)).max(1));
    1 << size_max.ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_into_powers_of_two() {
        let sizes = |count: i64, fixed: &[Value]| -> Vec<usize> {
            let rows = (0..count).map(|number| [Value::Int(Some(number))]).collect();
            let cut = chunks(fixed, rows);
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
