//! Chooses a streaming replica for heavy reads by comparing replay positions with the primary's recent positions in its write-ahead log.
//!
//! The lag of a replica is measured with this process's clock: each position of the primary is kept with the moment it was read, so no server clock
//! matters, and a replica whose replay has stopped lags like any other. An organization that wrote through this node reads only from replicas that have
//! replayed that write. While the primary is unavailable, a replica serves however old it is. Never: a read that decides a sale.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgPool;
use tokio::sync::Mutex as AsyncMutex;
use uuid::Uuid;
use voelgoed_telemetry::Stopwatch;

use super::postgres_connections::{connect_options, pool_options};
use super::postgres_session::PostgresSession;
use super::postgres_settings::PostgresSettings;
use super::{DbResult, TxScope};

const POSITION_REFRESH_INTERVAL: Duration = Duration::from_millis(250);
/// Primary positions that are kept; a replica behind all of them lags too much anyway.
const POSITIONS_MAX: usize = 64;
/// Short, because another replica or the primary can answer instead.
const REPLICA_ACQUIRE_TIMEOUT: Duration = Duration::from_millis(500);
/// Organizations whose last write is kept.
const RECENT_WRITERS_MAX: usize = 10_000;

const PRIMARY_POSITION: &str = "select cast(pg_current_wal_lsn() - '0/0'::pg_lsn as bigint)";
/// Null on a server that was promoted and is no replica any more.
const REPLICA_POSITION: &str =
    "select case when pg_is_in_recovery() then cast(pg_last_wal_replay_lsn() - '0/0'::pg_lsn as bigint) end";

/// The replicas of one primary.
pub(super) struct Replicas {
    pools: Vec<PgPool>,
    /// One connection of its own, so that a failure to get it means that the primary is unavailable, not busy.
    primary: PgPool,
    client_timeout: Duration,
    replica_lag_max: Duration,
    state: AsyncMutex<ReplicationState>,
    last_writes: Mutex<HashMap<Uuid, Stopwatch>>,
}

/// What the last refresh found.
#[derive(Default)]
struct ReplicationState {
    /// The primary's positions, oldest first, each with the moment just before the query.
    positions: VecDeque<(Stopwatch, i64)>,
    /// When the last refresh began.
    refreshed_at: Option<Stopwatch>,
    /// True where the primary did not answer the last refresh.
    primary_is_unavailable: bool,
    /// The replay position of each replica; none where it did not answer.
    replayed: Vec<Option<i64>>,
    /// The replica to try first, round robin.
    next: usize,
}

impl Replicas {
    pub(super) fn new(settings: &PostgresSettings, client_timeout: Duration) -> DbResult<Self> {
        let quick = PostgresSettings {
            acquire_timeout: REPLICA_ACQUIRE_TIMEOUT.min(settings.acquire_timeout),
            ..settings.clone()
        };
        let pool = |url: &String, size_max| {
            let options = connect_options(url, &quick)?.application_name("voelgoed reports");
            Ok(pool_options(&quick, size_max).connect_lazy_with(options))
        };
        let replicas = settings.replicas.iter().map(|url| pool(url, settings.replica_connections));
        Ok(Self {
            pools: replicas.collect::<DbResult<_>>()?,
            primary: pool(&settings.url, 1)?,
            client_timeout,
            replica_lag_max: settings.replica_lag_max,
            state: AsyncMutex::default(),
            last_writes: Mutex::default(),
        })
    }

    /// Notes that `scope` has just written, so that its reads include the write.
    pub(super) fn record_write(&self, scope: TxScope) {
        let (TxScope::Tenant(organization), false) = (scope, self.pools.is_empty()) else { return };
        let mut wrote = self.last_writes.lock().unwrap_or_else(PoisonError::into_inner);
        if wrote.len() >= RECENT_WRITERS_MAX {
            // Every replica within the lag limit has replayed writes older than the limit.
            wrote.retain(|_, at| at.elapsed() <= self.replica_lag_max);
        }
        wrote.insert(organization, Stopwatch::start());
    }

    pub(super) fn are_configured(&self) -> bool {
        !self.pools.is_empty()
    }

    /// Begins a transaction on a replica that is near enough for `scope`; none where the primary must answer. A primary that is known to be
    /// unavailable is not queried for its position, because every reader would wait for its timeout.
    pub(super) async fn begin(
        &self,
        scope: TxScope,
        text: &str,
        primary_is_unavailable: bool,
    ) -> Option<PostgresSession> {
        let chosen = self.choose_replica(scope, primary_is_unavailable).await?;
        match PostgresSession::begin(&self.pools[chosen], self.client_timeout, text).await {
            Ok(session) => Some(session),
            Err(error) => {
                tracing::warn!(%error, replica = chosen, slice = "cold", "a replica does not answer; the primary answers instead");
                None
            }
        }
    }

    async fn choose_replica(&self, scope: TxScope, primary_is_unavailable: bool) -> Option<usize> {
        if self.pools.is_empty() {
            return None;
        }
        let wrote = self.last_write(scope);
        let mut state = self.state.lock().await;
        let stale = state.refreshed_at.is_none_or(|refreshed_at| {
            refreshed_at.elapsed() >= POSITION_REFRESH_INTERVAL
                || !primary_is_unavailable && !is_after(refreshed_at, wrote)
        });
        if stale || primary_is_unavailable && !state.primary_is_unavailable {
            self.refresh(&mut state, primary_is_unavailable).await;
        }
        let needed = match wrote {
            _ if state.primary_is_unavailable => i64::MIN,
            // The first position that was read after the write includes it.
            Some(_) => state.positions.iter().find(|(at, _)| is_after(*at, wrote))?.1,
            // The newest position that is at least as old as the lag limit.
            None => state.positions.iter().rev().find(|(at, _)| at.elapsed() >= self.replica_lag_max).map_or(
                // No position is that old yet: the oldest one is stricter.
                state.positions.front()?.1,
                |(_, position)| *position,
            ),
        };
        let count = self.pools.len();
        let first = state.next;
        let near = |index: &usize| state.replayed.get(*index).copied().flatten().is_some_and(|at| at >= needed);
        let chosen = (first..first + count).map(|index| index % count).find(near)?;
        state.next = (chosen + 1) % count;
        Some(chosen)
    }

    fn last_write(&self, scope: TxScope) -> Option<Stopwatch> {
        let TxScope::Tenant(organization) = scope else { return None };
        self.last_writes.lock().unwrap_or_else(PoisonError::into_inner).get(&organization).copied()
    }

    async fn refresh(&self, state: &mut ReplicationState, primary_is_unavailable: bool) {
        let began = Stopwatch::start();
        let primary = async {
            match primary_is_unavailable {
                true => None,
                false => position(&self.primary, PRIMARY_POSITION, self.client_timeout).await,
            }
        };
        let replicas = futures::future::join_all(
            self.pools.iter().map(|pool| position(pool, REPLICA_POSITION, REPLICA_ACQUIRE_TIMEOUT)),
        );
        let (primary, replayed) = tokio::join!(primary, replicas);
        state.refreshed_at = Some(began);
        state.replayed = replayed;
        state.primary_is_unavailable = primary.is_none();
        if let Some(position) = primary {
            if state.positions.len() >= POSITIONS_MAX {
                state.positions.pop_front();
            }
            state.positions.push_back((began, position));
        }
    }

    pub(super) async fn close(&self) {
        futures::future::join_all(self.pools.iter().chain([&self.primary]).map(PgPool::close)).await;
    }
}

/// True where `moment` is later than the write, or there was no write.
fn is_after(moment: Stopwatch, wrote: Option<Stopwatch>) -> bool {
    wrote.is_none_or(|wrote| wrote.elapsed() > moment.elapsed())
}

/// Reads a server's log position; none where the server is unavailable (a closed connection is replaced first).
async fn position(pool: &PgPool, text: &'static str, client_timeout: Duration) -> Option<i64> {
    let read = async {
        let mut session = PostgresSession::begin(pool, client_timeout, "begin read only").await?;
        let (position,) =
            session.run(|connection| sqlx::query_as::<_, (Option<i64>,)>(text).fetch_one(connection)).await?;
        session.rollback().await?;
        DbResult::Ok(position)
    };
    read.await.unwrap_or_else(|error| {
        tracing::debug!(%error, slice = "cold", "a server did not report its log position");
        None
    })
}
