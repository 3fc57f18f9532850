//! Streaming replicas for heavy reads, and which of them is near enough to the primary to be asked.
//!
//! How far a replica is behind is told by the primary's own positions in its log, each noted with its moment: no clock of a server is believed, and a
//! replica that has lost its primary, or whose replay stands still, falls behind like any other. Who wrote through this node reads only what holds
//! that write. Where the primary is away nothing newer can be, so a replica answers however old it is. Never: a read that decides a sale.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgPool;
use tokio::sync::Mutex as Turn;
use uuid::Uuid;
use voelgoed_telemetry::Stopwatch;

use super::postgres::{self, PostgresSettings, Session};
use super::{Result, Scope};

/// Positions are looked at again after so long.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Positions that are kept: beyond them a replica is too far behind however far.
const KEPT: usize = 64;
/// The wait for a replica's connection: another one, or the primary, answers instead.
const ACQUIRE: Duration = Duration::from_millis(500);
/// Writers that are remembered one by one; beyond it all count as having just written.
const WRITERS: usize = 10_000;

const PRIMARY_AT: &str = "select cast(pg_current_wal_lsn() - '0/0'::pg_lsn as bigint)";
/// None from a server that was promoted, and is nobody's replica any more.
const REPLICA_AT: &str =
    "select case when pg_is_in_recovery() then cast(pg_last_wal_replay_lsn() - '0/0'::pg_lsn as bigint) end";

/// The replicas of one primary.
pub(super) struct Replicas {
    pools: Vec<PgPool>,
    /// One connection, in whose way nobody stands: where it is not to be had, the primary is away.
    primary: PgPool,
    patience: Duration,
    most_lag: Duration,
    seen: Turn<Seen>,
    wrote: Mutex<HashMap<Uuid, Stopwatch>>,
}

/// What the last look found.
#[derive(Default)]
struct Seen {
    /// The primary's positions, oldest first, each with the moment just before it was asked for.
    positions: VecDeque<(Stopwatch, i64)>,
    /// When the last look began.
    looked: Option<Stopwatch>,
    /// True where the primary did not answer it.
    primary_is_away: bool,
    /// How far each replica has come.
    replayed: Vec<Option<i64>>,
    /// Whose turn it is.
    next: usize,
}

impl Replicas {
    pub(super) fn new(settings: &PostgresSettings, patience: Duration) -> Result<Self> {
        let quick = PostgresSettings { acquire: ACQUIRE.min(settings.acquire), ..settings.clone() };
        let pool = |url: &String, most| {
            let options = postgres::options(url, &quick)?.application_name("voelgoed reports");
            Ok(postgres::pool_options(&quick, most).connect_lazy_with(options))
        };
        let replicas = settings.replicas.iter().map(|url| pool(url, settings.replica_connections));
        Ok(Self {
            pools: replicas.collect::<Result<_>>()?,
            primary: pool(&settings.url, 1)?,
            patience,
            most_lag: settings.most_lag,
            seen: Turn::default(),
            wrote: Mutex::default(),
        })
    }

    /// `scope` has just written: it is to read that.
    pub(super) fn wrote(&self, scope: Scope) {
        let (Scope::Tenant(organization), false) = (scope, self.pools.is_empty()) else { return };
        let mut wrote = self.wrote.lock().unwrap_or_else(PoisonError::into_inner);
        if wrote.len() >= WRITERS {
            // Whoever wrote longer ago than replicas may be behind is served by any that is near enough.
            wrote.retain(|_, at| at.elapsed() <= self.most_lag);
        }
        wrote.insert(organization, Stopwatch::start());
    }

    pub(super) fn are_there(&self) -> bool {
        !self.pools.is_empty()
    }

    /// A transaction on a replica that is near enough for `scope`; none where the primary must answer. One that is known to be away is not asked
    /// how far it is: everybody would wait for that.
    pub(super) async fn begin(&self, scope: Scope, text: &str, primary_is_away: bool) -> Option<Session> {
        let chosen = self.choose(scope, primary_is_away).await?;
        match Session::begin(&self.pools[chosen], self.patience, text).await {
            Ok(session) => Some(session),
            Err(error) => {
                tracing::warn!(%error, replica = chosen, slice = "cold", "a replica does not answer; the primary does instead");
                None
            }
        }
    }

    async fn choose(&self, scope: Scope, primary_is_away: bool) -> Option<usize> {
        if self.pools.is_empty() {
            return None;
        }
        let wrote = self.last_write(scope);
        let mut seen = self.seen.lock().await;
        let stale = seen
            .looked
            .is_none_or(|looked| looked.elapsed() >= LOOK_EVERY || !primary_is_away && !is_after(looked, wrote));
        if stale || primary_is_away && !seen.primary_is_away {
            self.look(&mut seen, primary_is_away).await;
        }
        let needed = match wrote {
            _ if seen.primary_is_away => i64::MIN,
            // The first position that was asked for after the write holds it.
            Some(_) => seen.positions.iter().find(|(at, _)| is_after(*at, wrote))?.1,
            // Whatever the primary had when the limit began.
            None => seen.positions.iter().rev().find(|(at, _)| at.elapsed() >= self.most_lag).map_or(
                // No position is that old: the oldest one is nearer than asked for.
                seen.positions.front()?.1,
                |(_, position)| *position,
            ),
        };
        let count = self.pools.len();
        let first = seen.next;
        let near = |index: &usize| seen.replayed.get(*index).copied().flatten().is_some_and(|at| at >= needed);
        let chosen = (first..first + count).map(|turn| turn % count).find(near)?;
        seen.next = (chosen + 1) % count;
        Some(chosen)
    }

    fn last_write(&self, scope: Scope) -> Option<Stopwatch> {
        let Scope::Tenant(organization) = scope else { return None };
        self.wrote.lock().unwrap_or_else(PoisonError::into_inner).get(&organization).copied()
    }

    async fn look(&self, seen: &mut Seen, primary_is_away: bool) {
        let began = Stopwatch::start();
        let primary = async {
            match primary_is_away {
                true => None,
                false => position(&self.primary, PRIMARY_AT, self.patience).await,
            }
        };
        let replicas = futures::future::join_all(self.pools.iter().map(|pool| position(pool, REPLICA_AT, ACQUIRE)));
        let (primary, replayed) = tokio::join!(primary, replicas);
        seen.looked = Some(began);
        seen.replayed = replayed;
        seen.primary_is_away = primary.is_none();
        if let Some(position) = primary {
            if seen.positions.len() >= KEPT {
                seen.positions.pop_front();
            }
            seen.positions.push_back((began, position));
        }
    }

    pub(super) async fn close(&self) {
        futures::future::join_all(self.pools.iter().chain([&self.primary]).map(PgPool::close)).await;
    }
}

/// True where `moment` is later than the write, or there was none.
fn is_after(moment: Stopwatch, wrote: Option<Stopwatch>) -> bool {
    wrote.is_none_or(|wrote| wrote.elapsed() > moment.elapsed())
}

/// How far a server is. A connection that has died meanwhile is replaced, so that no answer means a server that is away.
async fn position(pool: &PgPool, text: &'static str, patience: Duration) -> Option<i64> {
    let asked = async {
        let mut session = Session::begin(pool, patience, "begin read only").await?;
        let (position,) =
            session.ask(|connection| sqlx::query_as::<_, (Option<i64>,)>(text).fetch_one(connection)).await?;
        session.rollback().await?;
        Result::Ok(position)
    };
    asked.await.unwrap_or_else(|error| {
        tracing::debug!(%error, slice = "cold", "a server does not say how far it is");
        None
    })
}
