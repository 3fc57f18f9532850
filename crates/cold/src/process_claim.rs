//! Lets one process claim a Postgres for itself, or several share it, by an advisory lock that ends with its connection; the claim is watched and taken again.
//!
//! A process whose warm tier is its own memory must be the only one: another one would grant holds on the same places without seeing them, and each
//! would relay half of the outbox. Never: a process that serves on with a warm tier of its own after another one has its claim.

use std::time::Duration;

use sqlx::{Connection, PgConnection};

use crate::db::{Error, PostgresSettings, Result, connect_postgres};

/// The number of the lock; any will do that no other lock has.
const LOCK: i64 = 0x766f_656c_7072_6f63;
/// The backend of a process that was killed needs a moment to notice; the lock is tried again for so long.
const TRIES: u32 = 25;
const TRY_INTERVAL: Duration = Duration::from_millis(200);
/// How often the connection is asked whether it lives, and how long its answer may take.
const PING_INTERVAL: Duration = Duration::from_secs(2);
const PING_TIMEOUT: Duration = Duration::from_secs(3);
/// One round of claiming again takes at most so long; all tries fit in.
const CLAIM_TIMEOUT: Duration = Duration::from_secs(15);

/// How a process uses the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessClaim {
    /// No other process may serve on it.
    Only,
    /// Others may, as long as none claims it for itself.
    OneOfSeveral,
}

impl ProcessClaim {
    const fn lock(self) -> &'static str {
        match self {
            Self::Only => "select pg_try_advisory_lock($1)",
            Self::OneOfSeveral => "select pg_try_advisory_lock_shared($1)",
        }
    }

    /// Why a process cannot have this claim, for the operator.
    fn refusal(self) -> Error {
        Error::internal(match self {
            Self::Only => {
                "another process serves on this Postgres, and the warm tier of this one is its own memory: two of them would sell \
                 the same places. Set warm.url to a Redis that all processes share, or stop the other process"
            }
            Self::OneOfSeveral => {
                "a process whose warm tier is its own memory serves on this Postgres: it would not see the holds of this one. \
                 Set its warm.url to the Redis that all processes share, or stop it"
            }
        })
    }
}

/// Keeps a claim while it lives and its connection does; [`Self::until_taken`] looks after the connection.
#[derive(Debug)]
pub struct Claimed {
    settings: PostgresSettings,
    claim: ProcessClaim,
    connection: PgConnection,
    backend: Backend,
}

/// A session of the server, by what no other one shares with it.
#[derive(Debug, Clone, sqlx::FromRow)]
struct Backend {
    pid: i32,
    started: String,
}

/// Claims the database; waits a few seconds for a predecessor that was just killed.
///
/// # Errors
/// [`Error::Internal`] with a sentence for the operator where another process is in the way; else as any connection.
pub async fn claim(settings: &PostgresSettings, claim: ProcessClaim) -> Result<Claimed> {
    take(settings, claim, None).await?.ok_or_else(|| claim.refusal())
}

/// The claim, or nothing where another process has it. `before` is this process's own session, which the server may believe to live.
async fn take(settings: &PostgresSettings, claim: ProcessClaim, before: Option<&Backend>) -> Result<Option<Claimed>> {
    let mut connection = connect_postgres(settings).await?;
    if let Some(before) = before {
        let end = "select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and backend_start::text = $2";
        sqlx::query(end).bind(before.pid).bind(&before.started).fetch_all(&mut connection).await?;
    }
    let own = "select pid, backend_start::text as started from pg_stat_activity where pid = pg_backend_pid()";
    let backend: Backend = sqlx::query_as(own).fetch_one(&mut connection).await?;
    for attempt in 0..TRIES {
        if attempt > 0 {
            tokio::time::sleep(TRY_INTERVAL).await;
        }
        let (got,): (bool,) = sqlx::query_as(claim.lock()).bind(LOCK).fetch_one(&mut connection).await?;
        if got {
            return Ok(Some(Claimed { settings: settings.clone(), claim, connection, backend }));
        }
    }
    Ok(None)
}

impl Claimed {
    /// Keeps the claim: asks its connection every few seconds, and claims the database again where the connection was lost. Ends with a sentence for the
    /// operator once another process has the claim that this one needs for itself; this one must stop then. One of several goes on, and says so in its
    /// log: one process that is set up wrongly must not stop a cluster. Dropped, it gives the claim up.
    pub async fn until_taken(mut self) -> Error {
        loop {
            tokio::time::sleep(PING_INTERVAL).await;
            let answer = tokio::time::timeout(PING_TIMEOUT, self.connection.ping()).await;
            if matches!(answer, Ok(Ok(()))) {
                continue;
            }
            tracing::warn!(
                slice = "cold",
                "the connection that holds this process's claim on Postgres is lost; claiming again"
            );
            match self.claim_again().await {
                Some(again) => self = again,
                None => return self.claim.refusal(),
            }
            tracing::info!(slice = "cold", "claimed Postgres again");
        }
    }

    /// Tries until the server answers; nothing where another process has the claim by then.
    async fn claim_again(&self) -> Option<Self> {
        loop {
            let taking = take(&self.settings, self.claim, Some(&self.backend));
            match tokio::time::timeout(CLAIM_TIMEOUT, taking).await {
                Ok(Ok(None)) if self.claim == ProcessClaim::OneOfSeveral => {
                    tracing::error!(error = %self.claim.refusal(), slice = "cold", "the claim on Postgres is not taken again yet")
                }
                Ok(Ok(claimed)) => return claimed,
                Ok(Err(error)) => {
                    tracing::warn!(%error, slice = "cold", "the claim on Postgres is not taken again yet")
                }
                Err(_) => tracing::warn!(slice = "cold", "the claim on Postgres is not taken again yet: no answer"),
            }
            tokio::time::sleep(PING_INTERVAL).await;
        }
    }
}
