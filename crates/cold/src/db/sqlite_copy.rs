//! Copies the embedded database with `vacuum into` while it is in use, and checks the integrity of a file that is not in use.
//!
//! Never: a migration or any other change of the source; a copy of the bare file, which lacks the write-ahead log.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use super::{DbError, DbResult};

pub(crate) use super::sqlite::DATABASE_FILE;

const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// Writes a consistent copy of the database of `data_dir` into the new file `to`.
pub(crate) async fn copy_database(data_dir: &Path, to: &Path) -> DbResult<()> {
    let text = to.to_str().ok_or_else(|| DbError::internal("the copy's path is not UTF-8"))?;
    let options = SqliteConnectOptions::new().filename(data_dir.join(DATABASE_FILE)).busy_timeout(LOCK_TIMEOUT);
    let mut source = options.connect().await?;
    // Some versions of SQLite take no bind here, so the path is quoted.
    let statement = format!("vacuum into '{}'", text.replace('\'', "''"));
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut source).await?;
    Ok(source.close().await?)
}

/// Reads every page of a file that no process has open; an error where pages contradict each other.
pub(crate) async fn check_integrity(file: &Path) -> DbResult<()> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true).immutable(true);
    let mut connection: SqliteConnection = options.connect().await?;
    let found: Vec<String> = sqlx::query_scalar("pragma integrity_check(10)").fetch_all(&mut connection).await?;
    connection.close().await?;
    if found == ["ok"] { Ok(()) } else { Err(DbError::internal(found.join("; "))) }
}
