//! Postgres: a pool per kind of work, so that reports cannot take the sale's connections (P9), and a session that is begun, used and ended.
//!
//! Never: `synchronous_commit` off but in a transaction that asked for it (P3), a wait without limit, a connection given back whose state is not known, a superuser (row security would
//! not hold for it, P7). Every transaction says for whom it is before its first statement; see [`super::Scope`].

use std::io::ErrorKind;
use std::str::FromStr;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgConnection, Postgres as Engine};
use voelgoed_app::accounts::quotas::Quotas;
use voelgoed_app::sealing::Sealer;

use super::replicas::Replicas;
use super::{Error, Lane, Mode, Result, Scope};

/// Where Postgres is, and how much of it may be used.
#[derive(Clone)]
pub struct PostgresSettings {
    /// `postgres://user:password@host/database`; the role owns the schema and is no superuser.
    pub url: String,
    /// Streaming replicas of it, for heavy reads.
    pub replicas: Vec<String>,
    /// Connections for what admits.
    pub gate_connections: u32,
    /// Connections for what sells and charges.
    pub sale_connections: u32,
    /// Connections for what organizers and the shop read and write beside that.
    pub desk_connections: u32,
    /// Connections for the relay, the jobs and the reconcilers.
    pub jobs_connections: u32,
    /// Connections to each replica.
    pub replica_connections: u32,
    /// A replica further behind than this is not asked.
    pub most_lag: Duration,
    /// A statement is given up after so long.
    pub statement: Duration,
    /// So is the wait for a row that somebody else has locked.
    pub lock: Duration,
    /// And the wait for a connection.
    pub acquire: Duration,
    /// Seals stored answers; where it is absent, only this opening of the database can read the answers that it writes.
    pub sealer: Option<Sealer>,
    /// What an organization may have.
    pub quotas: Quotas,
}

impl PostgresSettings {
    /// The usual limits.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            replicas: Vec::new(),
            gate_connections: 4,
            sale_connections: 8,
            desk_connections: 8,
            jobs_connections: 4,
            replica_connections: 8,
            most_lag: Duration::from_secs(2),
            statement: Duration::from_secs(5),
            lock: Duration::from_secs(2),
            acquire: Duration::from_secs(2),
            sealer: None,
            quotas: Quotas::default(),
        }
    }
}

impl std::fmt::Debug for PostgresSettings {
    /// Without the addresses: they carry passwords.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresSettings").field("replicas", &self.replicas.len()).finish_non_exhaustive()
    }
}

/// Beyond the server's own limit: the network, and a server that has stopped.
const SILENCE: Duration = Duration::from_secs(1);
/// A session that begins a transaction and then says nothing holds locks at most so long.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(15);
/// What sells, admits and works on asks for a few rows by their keys. A plan is kept for long and may be made when a table is small; these are the ways
/// that read it whole then, and still do when it has become large.
const ROW_BY_ROW: [(&str, &str); 5] = [
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_material", "off"),
    ("enable_seqscan", "off"),
    // What can only be read whole costs more than anything by the line above, and would be compiled each time.
    ("jit", "off"),
];
/// Prepared statements kept per connection: each text has up to nine sizes (`rows.rs`).
const STATEMENTS: usize = 512;
/// Unused connections are ended after so long.
const IDLE: Duration = Duration::from_secs(300);

/// The pools of the primary, and its replicas.
pub(super) struct Postgres {
    replicas: Replicas,
    gate: PgPool,
    sale: PgPool,
    desk: PgPool,
    jobs: PgPool,
    /// When the client stops waiting for an answer.
    patience: Duration,
}

impl Postgres {
    /// Pools whose connections are made when they are needed.
    pub(super) fn new(settings: &PostgresSettings) -> Result<Self> {
        let options = options(&settings.url, settings)?;
        let named = |name: &str| options.clone().application_name(&format!("voelgoed {name}"));
        let pool = |name: &str, most| pool_options(settings, most).connect_lazy_with(named(name).options(ROW_BY_ROW));
        let desk = pool_options(settings, settings.desk_connections).connect_lazy_with(named("desk"));
        let patience = settings.statement + SILENCE;
        Ok(Self {
            replicas: Replicas::new(settings, patience)?,
            gate: pool("gate", settings.gate_connections),
            sale: pool("sale", settings.sale_connections),
            desk,
            jobs: pool("jobs", settings.jobs_connections),
            patience,
        })
    }

    /// A transaction of `lane`'s pool on the primary, for `scope`.
    pub(super) async fn begin(&self, lane: Lane, scope: Scope, mode: Mode) -> Result<Session> {
        let text = begin_text(scope, mode);
        let pool = match lane {
            Lane::Gate => &self.gate,
            Lane::Sale | Lane::Shown => &self.sale,
            Lane::Desk | Lane::Reports => &self.desk,
            Lane::Jobs => &self.jobs,
        };
        Session::begin(pool, self.patience, &text).await
    }

    /// A reading transaction on a replica that is near enough; any will do where the primary is known to be away.
    pub(super) async fn begin_elsewhere(&self, scope: Scope, mode: Mode, primary_is_away: bool) -> Option<Session> {
        self.replicas.begin(scope, &begin_text(scope, mode), primary_is_away).await
    }

    /// True where there is somebody else to read from.
    pub(super) fn has_replicas(&self) -> bool {
        self.replicas.are_there()
    }

    /// `scope` has just written.
    pub(super) fn wrote(&self, scope: Scope) {
        self.replicas.wrote(scope);
    }

    pub(super) async fn close(&self) {
        tokio::join!(self.gate.close(), self.sale.close(), self.desk.close(), self.jobs.close(), self.replicas.close());
    }
}

/// How sessions of this platform connect.
pub(super) fn options(url: &str, settings: &PostgresSettings) -> Result<PgConnectOptions> {
    // The fault may quote the address, which carries a password.
    let options = PgConnectOptions::from_str(url).map_err(|_| Error::internal("the address of Postgres is not one"))?;
    let millis = |span: Duration| span.as_millis().to_string();
    Ok(options.statement_cache_capacity(STATEMENTS).options([
        ("statement_timeout", millis(settings.statement)),
        ("lock_timeout", millis(settings.lock)),
        ("idle_in_transaction_session_timeout", millis(IDLE_IN_TRANSACTION)),
    ]))
}

/// How connections are kept. None is tested before its use: beginning a transaction is the test.
pub(super) fn pool_options(settings: &PostgresSettings, most: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(most)
        .acquire_timeout(settings.acquire)
        .idle_timeout(IDLE)
        .test_before_acquire(false)
}

/// One round trip: the transaction, and for whom it is. The texts are ours, and an identifier has no quote.
fn begin_text(scope: Scope, mode: Mode) -> String {
    let mode = match mode {
        Mode::Write => "",
        Mode::Unflushed => "; set local synchronous_commit = off",
        Mode::Read => " read only",
        Mode::Snapshot => " isolation level repeatable read read only",
    };
    match scope {
        Scope::Tenant(organization) => format!("begin{mode}; set local voelgoed.organization = '{organization}'"),
        Scope::System(role) => format!("begin{mode}; set local voelgoed.system = '{}'", role.as_str()),
    }
}

/// A connection inside a transaction. Dropped before its end, it is rolled back and given back; in doubt, it is ended.
pub(super) struct Session {
    connection: Option<PoolConnection<Engine>>,
    patience: Duration,
    /// An answer is missing: what the connection will say next is not known.
    in_doubt: bool,
}

impl Session {
    /// Begins on a connection of the pool. One that has died while it was idle shows here, where nothing has happened yet, and is replaced.
    pub(super) async fn begin(pool: &PgPool, patience: Duration, text: &str) -> Result<Self> {
        let mut tries = pool.options().get_max_connections();
        loop {
            let mut session = Self { connection: Some(pool.acquire().await?), patience, in_doubt: false };
            match session.say(text).await {
                Ok(()) => return Ok(session),
                Err(error) if tries > 0 && has_died(&error) => tries -= 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub(super) async fn commit(mut self) -> Result<()> {
        self.end("commit").await
    }

    pub(super) async fn rollback(mut self) -> Result<()> {
        self.end("rollback").await
    }

    async fn end(&mut self, text: &str) -> Result<()> {
        let done = self.say(text).await.map_err(Error::from);
        if done.is_ok() {
            drop(self.connection.take());
        }
        done
    }

    /// Runs a statement on the connection, for no longer than it may take.
    pub(super) async fn ask<'c, T, F>(
        &'c mut self,
        statement: impl FnOnce(&'c mut PgConnection) -> F,
    ) -> sqlx::Result<T>
    where
        F: Future<Output = sqlx::Result<T>> + 'c,
    {
        let Some(connection) = &mut self.connection else { return Err(sqlx::Error::WorkerCrashed) };
        // Also where this future is dropped before the answer.
        self.in_doubt = true;
        let answer = match tokio::time::timeout(self.patience, statement(connection)).await {
            Ok(answer) => answer,
            Err(_) => Err(sqlx::Error::Io(ErrorKind::TimedOut.into())),
        };
        self.in_doubt = answer.as_ref().is_err_and(|error| !matches!(error, sqlx::Error::Database(_)));
        answer
    }

    async fn say(&mut self, text: &str) -> sqlx::Result<()> {
        let text = AssertSqlSafe(text.to_owned());
        self.ask(|connection| async { sqlx::raw_sql(text).execute(connection).await.map(drop) }).await
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if self.in_doubt {
            connection.close_on_drop();
            return;
        }
        let patience = self.patience;
        #[expect(clippy::disallowed_methods, reason = "one round trip with an end; the pool waits for the connection")]
        tokio::spawn(async move {
            let undo = sqlx::raw_sql("rollback").execute(&mut *connection);
            if !matches!(tokio::time::timeout(patience, undo).await, Ok(Ok(_))) {
                connection.close_on_drop();
            }
        });
    }
}

/// True where the server has ended the connection, and not only kept silent.
fn has_died(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() != ErrorKind::TimedOut,
        // Class 57: the server is being stopped, or was killed.
        sqlx::Error::Database(refused) => refused.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}
