//! Keeps a pool of Postgres connections per class of work, so that reports cannot use up the sale's connections (P9), and begins transactions on them.
//!
//! Never: `synchronous_commit` off except in an unflushed transaction (P3), a superuser (row security would not hold for it, P7). Every transaction sets its
//! scope before its first statement; see [`super::TxScope`].

use std::time::Duration;

use sqlx::postgres::PgPool;

use super::postgres_connections::{connect_options, pool_options};
use super::postgres_session::PostgresSession;
use super::postgres_settings::PostgresSettings;
use super::replicas::Replicas;
use super::{DbResult, PoolClass, TxMode, TxScope};

/// The client waits this much longer than the server's own statement timeout, for the network and for a server that has stopped.
const CLIENT_TIMEOUT_MARGIN: Duration = Duration::from_secs(1);
/// Sales, scans and jobs look up a few rows by key. Postgres may plan such a statement while a table is small, as a scan of the whole table, and keep
/// that plan when the table has grown; so the plans that scan are switched off.
const KEYED_LOOKUP_PLANNING: [(&str, &str); 5] = [
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_material", "off"),
    ("enable_seqscan", "off"),
    // A statement that can only scan gets a huge cost by the line above, and would be compiled at every run.
    ("jit", "off"),
];

/// The pools of a primary, and its replicas.
pub(super) struct Postgres {
    replicas: Replicas,
    gate: PgPool,
    sale: PgPool,
    desk: PgPool,
    jobs: PgPool,
    /// How long the client waits for a reply.
    client_timeout: Duration,
}

impl Postgres {
    /// Pools that connect when the first transaction needs a connection.
    pub(super) fn new(settings: &PostgresSettings) -> DbResult<Self> {
        let options = connect_options(&settings.url, settings)?;
        let named = |name: &str| options.clone().application_name(&format!("voelgoed {name}"));
        let pool = |name: &str, size_max| {
            pool_options(settings, size_max).connect_lazy_with(named(name).options(KEYED_LOOKUP_PLANNING))
        };
        let desk = pool_options(settings, settings.desk_connections).connect_lazy_with(named("desk"));
        let client_timeout = settings.statement_timeout + CLIENT_TIMEOUT_MARGIN;
        Ok(Self {
            replicas: Replicas::new(settings, client_timeout)?,
            gate: pool("gate", settings.gate_connections),
            sale: pool("sale", settings.sale_connections),
            desk,
            jobs: pool("jobs", settings.jobs_connections),
            client_timeout,
        })
    }

    /// Begins a transaction on the primary.
    pub(super) async fn begin(&self, pool_class: PoolClass, scope: TxScope, mode: TxMode) -> DbResult<PostgresSession> {
        let text = begin_text(scope, mode);
        let pool = match pool_class {
            PoolClass::Gate => &self.gate,
            PoolClass::Sale | PoolClass::Display => &self.sale,
            PoolClass::Desk | PoolClass::Reports => &self.desk,
            PoolClass::Jobs => &self.jobs,
        };
        PostgresSession::begin(pool, self.client_timeout, &text).await
    }

    /// Begins a reading transaction on a replica whose lag is within the limit, or on any replica while the primary is unavailable.
    pub(super) async fn begin_on_replica(
        &self,
        scope: TxScope,
        mode: TxMode,
        primary_is_unavailable: bool,
    ) -> Option<PostgresSession> {
        self.replicas.begin(scope, &begin_text(scope, mode), primary_is_unavailable).await
    }

    pub(super) fn has_replicas(&self) -> bool {
        self.replicas.are_configured()
    }

    pub(super) fn record_write(&self, scope: TxScope) {
        self.replicas.record_write(scope);
    }

    pub(super) async fn close(&self) {
        tokio::join!(self.gate.close(), self.sale.close(), self.desk.close(), self.jobs.close(), self.replicas.close());
    }
}

/// Begins the transaction and sets its scope in one round trip. All parts are constants or identifiers without quotes.
fn begin_text(scope: TxScope, mode: TxMode) -> String {
    let mode = match mode {
        TxMode::Write => "",
        TxMode::Unflushed => "; set local synchronous_commit = off",
        TxMode::Read => " read only",
        TxMode::Snapshot => " isolation level repeatable read read only",
    };
    match scope {
        TxScope::Tenant(organization) => format!("begin{mode}; set local voelgoed.organization = '{organization}'"),
        TxScope::System(role) => format!("begin{mode}; set local voelgoed.system = '{}'", role.as_str()),
    }
}
