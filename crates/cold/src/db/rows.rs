//! Runs one statement on one connection, alone or for many rows, measured.
//!
//! Never: a number of rows in one statement that is not a power of two, so that the engine's statement cache stays small.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, FromRow, SqliteConnection};
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::cold;

use super::postgres::Session;
use super::{Engine, Result, Sql, Value, sql, value};

/// A row that can be read from every engine; `#[derive(sqlx::FromRow)]` makes one.
pub trait Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static {}
impl<T> Row for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static {}

/// The most rows of one statement.
const MOST_ROWS: usize = 256;
/// The most binds of one statement; SQLite takes 32,766, Postgres 65,535.
const MOST_BINDS: usize = 32_000;

/// What a statement runs on.
pub(super) enum Link<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut Session),
}

impl Link<'_> {
    fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }
}

pub(super) async fn fetch_all<R: Row>(
    link: &mut Link<'_>,
    sql: Sql,
    rows: usize,
    values: Vec<Value>,
) -> Result<Vec<R>> {
    let text = AssertSqlSafe(sql::expanded(link.engine(), sql.text, rows)?);
    let watch = Stopwatch::start();
    let found = match link {
        Link::Sqlite(connection) => {
            let arguments = value::sqlite_arguments(values)?;
            sqlx::query_as_with::<_, R, _>(text, arguments).fetch_all(&mut **connection).await
        }
        Link::Postgres(session) => {
            let arguments = value::postgres_arguments(values)?;
            session.ask(|connection| sqlx::query_as_with::<_, R, _>(text, arguments).fetch_all(connection)).await
        }
    };
    cold::sql(sql.name, watch.elapsed());
    Ok(found?)
}

pub(super) async fn execute(link: &mut Link<'_>, sql: Sql, rows: usize, values: Vec<Value>) -> Result<u64> {
    let text = AssertSqlSafe(sql::expanded(link.engine(), sql.text, rows)?);
    let watch = Stopwatch::start();
    let done = match link {
        Link::Sqlite(connection) => {
            let arguments = value::sqlite_arguments(values)?;
            let query = sqlx::query_with(text, arguments);
            query.execute(&mut **connection).await.map(|done| done.rows_affected())
        }
        Link::Postgres(session) => {
            let arguments = value::postgres_arguments(values)?;
            let query = sqlx::query_with(text, arguments);
            session.ask(|connection| query.execute(connection)).await.map(|done| done.rows_affected())
        }
    };
    cold::sql(sql.name, watch.elapsed());
    Ok(done?)
}

pub(super) async fn fetch_rows<R: Row, const N: usize>(
    link: &mut Link<'_>,
    sql: Sql,
    fixed: Vec<Value>,
    rows: Vec<[Value; N]>,
) -> Result<Vec<R>> {
    let mut found = Vec::new();
    for (count, values) in chunks(&fixed, rows) {
        found.extend(fetch_all(link, sql, count, values).await?);
    }
    Ok(found)
}

pub(super) async fn execute_rows<const N: usize>(
    link: &mut Link<'_>,
    sql: Sql,
    fixed: Vec<Value>,
    rows: Vec<[Value; N]>,
) -> Result<u64> {
    let mut changed = 0;
    for (count, values) in chunks(&fixed, rows) {
        changed += execute(link, sql, count, values).await?;
    }
    Ok(changed)
}

/// Cuts rows into statements: the largest power of two that fits, again and again. Binds are in the order of [`sql::expand`].
fn chunks<const N: usize>(fixed: &[Value], rows: Vec<[Value; N]>) -> Vec<(usize, Vec<Value>)> {
    let mut left = rows.len();
    let mut rows = rows.into_iter();
    let mut cut = Vec::new();
    while left > 0 {
        let count = chunk(left, N);
        let taken = rows.by_ref().take(count).flatten();
        let values = taken.chain(fixed.iter().cloned()).collect();
        cut.push((count, values));
        left -= count;
    }
    cut
}

fn chunk(left: usize, width: usize) -> usize {
    let most = left.min(MOST_ROWS).min((MOST_BINDS / width.max(1)).max(1));
    1 << most.ilog2()
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
        assert_eq!(chunk(256, 1000), 32, "wide rows stay below the engines' limits");
    }
}
