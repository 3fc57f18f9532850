//! Lets one process claim a Postgres for itself, or several share it, by an advisory lock that ends with the process.
//!
//! A process whose warm tier is its own memory must be the only one: another one would grant holds on the same places without seeing them, and each
//! would relay half of the outbox.

use std::time::Duration;

use sqlx::PgConnection;

use crate::db::{Error, PostgresSettings, Result, connect_postgres};

/// The number of the lock; any will do that no other lock has.
const LOCK: i64 = 0x766f_656c_7072_6f63;
/// The backend of a process that was killed needs a moment to notice; the lock is tried again for so long.
const TRIES: u32 = 25;
const TRY_INTERVAL: Duration = Duration::from_millis(200);

/// How a process uses the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessClaim {
    /// No other process may serve on it.
    Only,
    /// Others may, as long as none claims it for itself.
    OneOfSeveral,
}

/// Keeps a claim while it lives.
#[derive(Debug)]
pub struct Claimed {
    _connection: PgConnection,
}

/// Claims the database; waits a few seconds for a predecessor that was just killed.
///
/// # Errors
/// [`Error::Internal`] with a sentence for the operator where another process is in the way; else as any connection.
pub async fn claim(settings: &PostgresSettings, claim: ProcessClaim) -> Result<Claimed> {
    let mut connection = connect_postgres(settings).await?;
    let text = match claim {
        ProcessClaim::Only => "select pg_try_advisory_lock($1)",
        ProcessClaim::OneOfSeveral => "select pg_try_advisory_lock_shared($1)",
    };
    for attempt in 0..TRIES {
        if attempt > 0 {
            tokio::time::sleep(TRY_INTERVAL).await;
        }
        let (got,): (bool,) = sqlx::query_as(text).bind(LOCK).fetch_one(&mut connection).await?;
        if got {
            return Ok(Claimed { _connection: connection });
        }
    }
    Err(Error::internal(match claim {
        ProcessClaim::Only => {
            "another process serves on this Postgres, and the warm tier of this one is its own memory: two of them would sell \
             the same places. Set warm.url to a Redis that all processes share, or stop the other process"
        }
        ProcessClaim::OneOfSeveral => {
            "a process whose warm tier is its own memory serves on this Postgres: it would not see the holds of this one. \
             Set its warm.url to the Redis that all processes share, or stop it"
        }
    }))
}
