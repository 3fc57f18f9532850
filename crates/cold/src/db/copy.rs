//! Copies the embedded database's file while everything runs, and checks a file that nobody runs on.
//!
//! Never: a migration, or any change of the source; a copy of the bare file (its log would be missing).

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use super::{Error, Result};

/// The database's file in the data directory.
pub(crate) use super::sqlite::FILE;

/// The longest wait for another process's lock.
const WAIT: Duration = Duration::from_secs(5);

/// Writes the database of `data_dir`, as of one moment, into the new file `to`.
pub(crate) async fn copy(data_dir: &Path, to: &Path) -> Result<()> {
    let text = to.to_str().ok_or_else(|| Error::internal("the copy's path is not UTF-8"))?;
    let options = SqliteConnectOptions::new().filename(data_dir.join(FILE)).busy_timeout(WAIT);
    let mut source = options.connect().await?;
    // It takes no bind for its file in all versions, so the path is quoted.
    let statement = format!("vacuum into '{}'", text.replace('\'', "''"));
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut source).await?;
    Ok(source.close().await?)
}

/// Reads every page of a file that nobody has open; an error where one contradicts another.
pub(crate) async fn check(file: &Path) -> Result<()> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true).immutable(true);
    let mut connection: SqliteConnection = options.connect().await?;
    let found: Vec<String> = sqlx::query_scalar("pragma integrity_check(10)").fetch_all(&mut connection).await?;
    connection.close().await?;
    if found == ["ok"] { Ok(()) } else { Err(Error::internal(found.join("; "))) }
}
