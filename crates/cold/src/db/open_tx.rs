//! Opens transactions on the writer, the primary or a replica, depending on pool class, scope and the health of the primary.
//!
//! Where Postgres has replicas, a reading transaction goes to:
//!
//! | pool class | primary answers | primary is unavailable |
//! |---|---|---|
//! | `Reports` | a replica that is near enough, else the primary | any replica |
//! | `Display`, `Desk` | the primary | any replica |
//! | others | the primary | nowhere: what decides a sale is never read from a replica |

use futures::future::BoxFuture;
use voelgoed_telemetry::touch;

use super::postgres::Postgres;
use super::scope::TxMode;
use super::server_health::Endpoint;
use super::tx::OpenTransaction;
use super::{Db, DbError, DbResult, PoolClass, Pools, SystemRole, Tx, TxScope, check_deadline};

impl Db {
    /// Starts a write transaction for `scope`. The embedded engine runs one at a time, so the caller awaits nothing but SQL inside it.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] where no connection was free in time.
    pub async fn begin(&self, scope: impl Into<TxScope>) -> DbResult<Tx> {
        touch::cold_write();
        self.open(scope.into(), TxMode::Write).await
    }

    /// [`Self::begin`] for rows that are written again if they are lost, such as leases and delivery marks: the commit does not wait for the disk.
    /// It survives a crash of this process. A crash of the machine may lose the newest of these commits, never one that was flushed after them.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub(crate) async fn begin_unflushed(&self, scope: impl Into<TxScope>) -> DbResult<Tx> {
        touch::cold_write();
        self.open(scope.into(), TxMode::Unflushed).await
    }

    /// [`Self::begin`] for the committer, which has counted its commands as writes when they were submitted.
    pub(crate) async fn begin_uncounted(&self, scope: impl Into<TxScope>) -> DbResult<Tx> {
        self.open(scope.into(), TxMode::Write).await
    }

    /// Starts a read-only transaction for `scope` whose statements all see the same moment.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] where no connection was free in time.
    pub async fn snapshot(&self, scope: impl Into<TxScope>) -> DbResult<Tx> {
        touch::cold_read();
        self.open(scope.into(), TxMode::Snapshot).await
    }

    /// Boxed, so that the futures of callers hold a pointer instead of a copy of this one.
    pub(super) fn open(&self, scope: TxScope, mode: TxMode) -> BoxFuture<'_, DbResult<Tx>> {
        Box::pin(self.open_unboxed(scope, mode))
    }

    async fn open_unboxed(&self, scope: TxScope, mode: TxMode) -> DbResult<Tx> {
        check_deadline()?;
        let endpoint = if mode.is_read_only() { Endpoint::Reads } else { Endpoint::Writes };
        let pool_class = self.pool_class_of(scope);
        match &self.inner.pools {
            Pools::Postgres(postgres) if mode.is_read_only() && postgres.has_replicas() => {
                self.open_read_with_replicas(postgres, scope, mode).await
            }
            Pools::Postgres(postgres) => {
                let begin = async { postgres.begin(pool_class, scope, mode).await.map(OpenTransaction::Postgres) };
                self.guarded(endpoint, scope, begin).await
            }
            Pools::Sqlite(sqlite) => {
                let begin = async {
                    sqlite.begin(pool_class, mode).await.map(|(open, permit)| OpenTransaction::Sqlite(open, permit))
                };
                self.guarded(endpoint, scope, begin).await
            }
        }
    }

    /// Runs `begin` unless the breaker of `endpoint` is open.
    async fn guarded(
        &self,
        endpoint: Endpoint,
        scope: TxScope,
        begin: impl Future<Output = DbResult<OpenTransaction>>,
    ) -> DbResult<Tx> {
        self.server_health().check(endpoint)?;
        let open = begin.await;
        self.server_health().record_failure(endpoint, &open);
        Ok(Tx::new(open?, self.clone(), scope, endpoint))
    }

    async fn open_read_with_replicas(&self, postgres: &Postgres, scope: TxScope, mode: TxMode) -> DbResult<Tx> {
        let pool_class = self.pool_class_of(scope);
        let primary = async { postgres.begin(pool_class, scope, mode).await.map(OpenTransaction::Postgres) };
        if !pool_class.may_read_from_replica() {
            return self.guarded(Endpoint::PrimaryReads, scope, primary).await;
        }
        let on_replica = async |primary_is_unavailable| {
            let session = postgres.begin_on_replica(scope, mode, primary_is_unavailable).await?;
            Some(Tx::new(OpenTransaction::Postgres(session), self.clone(), scope, Endpoint::Reads))
        };
        let primary_is_unavailable = self.server_health().is_read_only();
        if primary_is_unavailable || pool_class == PoolClass::Reports {
            self.server_health().check(Endpoint::Reads)?;
            if let Some(tx) = on_replica(primary_is_unavailable).await {
                return Ok(tx);
            }
        }
        if primary_is_unavailable {
            // No replica answered: the primary is the last server that may.
            return self.guarded(Endpoint::Reads, scope, primary).await;
        }
        match self.guarded(Endpoint::PrimaryReads, scope, primary).await {
            Err(unavailable @ DbError::Unavailable(_)) => {
                // The primary may only be busy: the replicas probe it before they answer with old rows.
                let found = on_replica(false).await.ok_or(unavailable);
                self.server_health().record_failure(Endpoint::Reads, &found);
                found
            }
            opened => opened,
        }
    }

    fn pool_class_of(&self, scope: TxScope) -> PoolClass {
        match scope {
            TxScope::Tenant(_) => self.pool_class,
            TxScope::System(SystemRole::Shop | SystemRole::Audit | SystemRole::Nodes)
                if self.pool_class == PoolClass::Reports =>
            {
                PoolClass::Reports
            }
            TxScope::System(SystemRole::Directory | SystemRole::Shop) => PoolClass::Desk,
            TxScope::System(_) => PoolClass::Jobs,
        }
    }
}
