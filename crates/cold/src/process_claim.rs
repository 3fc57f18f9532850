//! Claims a Postgres for one process, or for several that share it, by an advisory lock that ends with its connection, and reclaims it after a loss.
//!
//! A process whose warm tier is its own memory must be the only one: another process would grant holds on the same places without seeing its holds, and
//! each would relay half of the outbox. Never: such a process serves on after another process has taken its claim.

use std::time::Duration;

use sqlx::{Connection, PgConnection};

use crate::db::{DbError, DbResult, PostgresSettings, connect_postgres};

/// The number of the advisory lock; arbitrary, but unique among advisory locks.
const CLAIM_LOCK: i64 = 0x766f_656c_7072_6f63;
/// The server needs a moment to end the session of a killed process.
const ATTEMPTS_MAX: u32 = 25;
const ATTEMPT_INTERVAL: Duration = Duration::from_millis(200);
const PING_INTERVAL: Duration = Duration::from_secs(2);
const PING_TIMEOUT: Duration = Duration::from_secs(3);
/// The limit of one round of reclaiming; longer than all its attempts.
const CLAIM_TIMEOUT: Duration = Duration::from_secs(15);

/// Whether a process shares the database with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessClaim {
    /// No other process may serve with this database.
    Exclusive,
    /// Others may, as long as none has an exclusive claim.
    Shared,
}

impl ProcessClaim {
    const fn lock(self) -> &'static str {
        match self {
            Self::Exclusive => "select pg_try_advisory_lock($1)",
            Self::Shared => "select pg_try_advisory_lock_shared($1)",
        }
    }

    /// States why a process cannot have this claim, and what the operator has to change.
    fn refusal(self) -> DbError {
        DbError::internal(match self {
            Self::Exclusive => {
                "another process serves on this Postgres, and the warm tier of this one is its own memory: two of them would sell \
                 the same places. Set warm.url to a Redis that all processes share, or stop the other process"
            }
            Self::Shared => {
                "a process whose warm tier is its own memory serves on this Postgres: it would not see the holds of this one. \
                 Set its warm.url to the Redis that all processes share, or stop it"
            }
        })
    }
}

/// Holds a claim until it is dropped or its connection is lost; [`Self::run_until_lost`] watches the connection.
#[derive(Debug)]
pub struct ProcessClaimGuard {
    settings: PostgresSettings,
    claim: ProcessClaim,
    connection: PgConnection,
    backend: Backend,
}

/// Identifies a session of the server: process ids are reused, so the start time belongs to the identity.
#[derive(Debug, Clone)]
struct Backend {
    pid: i32,
    started: String,
}

/// Claims the database; waits a few seconds for the session of a process that was just killed.
///
/// # Errors
/// [`DbError::Internal`] with instructions for the operator where another process has a conflicting claim; else a connection error.
pub async fn claim(settings: &PostgresSettings, claim: ProcessClaim) -> DbResult<ProcessClaimGuard> {
    try_claim(settings, claim, None).await?.ok_or_else(|| claim.refusal())
}

/// Returns none where another process has a conflicting claim. `before` is this process's lost session, which the server may still keep open.
async fn try_claim(
    settings: &PostgresSettings,
    claim: ProcessClaim,
    before: Option<&Backend>,
) -> DbResult<Option<ProcessClaimGuard>> {
    let mut connection = connect_postgres(settings).await?;
    if let Some(before) = before {
        let end = "select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and backend_start::text = $2";
        sqlx::query(end).bind(before.pid).bind(&before.started).fetch_all(&mut connection).await?;
    }
    let own = "select pid, backend_start::text as started from pg_stat_activity where pid = pg_backend_pid()";
    let (pid, started) = sqlx::query_as(own).fetch_one(&mut connection).await?;
    let backend = Backend { pid, started };
    for attempt in 0..ATTEMPTS_MAX {
        if attempt > 0 {
            tokio::time::sleep(ATTEMPT_INTERVAL).await;
        }
        let (got,): (bool,) = sqlx::query_as(claim.lock()).bind(CLAIM_LOCK).fetch_one(&mut connection).await?;
        if got {
            return Ok(Some(ProcessClaimGuard { settings: settings.clone(), claim, connection, backend }));
        }
    }
    Ok(None)
}

impl ProcessClaimGuard {
    /// Pings the connection, and reclaims the database after the connection was lost. Returns with instructions for the operator once another process has
    /// taken an exclusive claim; this process must stop then. A shared claim is retried and logged instead, because one process with wrong settings
    /// must not stop a cluster. Dropping the future releases the claim.
    pub async fn run_until_lost(mut self) -> DbError {
        loop {
            tokio::time::sleep(PING_INTERVAL).await;
            let reply = tokio::time::timeout(PING_TIMEOUT, self.connection.ping()).await;
            if matches!(reply, Ok(Ok(()))) {
                continue;
            }
            tracing::warn!(
                slice = "cold",
                "the connection that holds this process's claim on Postgres is lost; reclaiming"
            );
            match self.reclaim().await {
                Some(again) => self = again,
                None => return self.claim.refusal(),
            }
            tracing::info!(slice = "cold", "reclaimed Postgres");
        }
    }

    /// Retries until the server answers; none where another process has taken an exclusive claim.
    async fn reclaim(&self) -> Option<Self> {
        loop {
            let taking = try_claim(&self.settings, self.claim, Some(&self.backend));
            match tokio::time::timeout(CLAIM_TIMEOUT, taking).await {
                Ok(Ok(None)) if self.claim == ProcessClaim::Shared => {
                    tracing::error!(error = %self.claim.refusal(), slice = "cold", "the claim on Postgres is not reclaimed yet")
                }
                Ok(Ok(claimed)) => return claimed,
                Ok(Err(error)) => {
                    tracing::warn!(%error, slice = "cold", "the claim on Postgres is not reclaimed yet")
                }
                Err(_) => tracing::warn!(slice = "cold", "the claim on Postgres is not reclaimed yet: no reply"),
            }
            tokio::time::sleep(PING_INTERVAL).await;
        }
    }
}
