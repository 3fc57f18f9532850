//! Builds the options of Postgres connections and pools, so that each statement, lock and wait for a connection has a timeout (P9).

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::postgres_settings::PostgresSettings;
use super::{DbError, DbResult};

/// How long a session that sends nothing may hold the locks of its transaction.
const IDLE_IN_TRANSACTION_TIMEOUT: Duration = Duration::from_secs(15);
/// Prepared statements per connection. A statement with rows is prepared once per number of rows, which is
/// a power of two up to 256 (`execute.rs`).
const STATEMENT_CACHE_CAPACITY: usize = 512;
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// Connection options with the timeouts of `settings`.
pub(super) fn connect_options(url: &str, settings: &PostgresSettings) -> DbResult<PgConnectOptions> {
    // The parser's error may quote the URL, which contains a password.
    let options =
        PgConnectOptions::from_str(url).map_err(|_| DbError::internal("cold.url is not a valid Postgres URL"))?;
    let millis = |span: Duration| span.as_millis().to_string();
    Ok(options.statement_cache_capacity(STATEMENT_CACHE_CAPACITY).options([
        ("statement_timeout", millis(settings.statement_timeout)),
        ("lock_timeout", millis(settings.lock_timeout)),
        ("idle_in_transaction_session_timeout", millis(IDLE_IN_TRANSACTION_TIMEOUT)),
    ]))
}

/// Pool options. A connection is not tested before its use: the `begin` is the test.
pub(super) fn pool_options(settings: &PostgresSettings, size_max: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(size_max)
        .acquire_timeout(settings.acquire_timeout)
        .idle_timeout(IDLE_TIMEOUT)
        .test_before_acquire(false)
}
