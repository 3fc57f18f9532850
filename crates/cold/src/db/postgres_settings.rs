//! Defines how a primary and its replicas are reached: URLs, the size of each pool, and timeouts.

use std::time::Duration;

use voelgoed_app::accounts::quotas::Quotas;
use voelgoed_app::sealing::Sealer;

/// The address of Postgres, pool sizes and timeouts.
#[derive(Clone)]
pub struct PostgresSettings {
    /// `postgres://user:password@host/database`; the role owns the schema and is no superuser.
    pub url: String,
    /// URLs of its streaming replicas, for heavy reads.
    pub replicas: Vec<String>,
    /// Connections for scans.
    pub gate_connections: u32,
    /// Connections for orders and payments.
    pub sale_connections: u32,
    /// Connections for other requests of organizers and of the shop.
    pub desk_connections: u32,
    /// Connections for the relay, the jobs and the reconcilers.
    pub jobs_connections: u32,
    /// Connections to each replica.
    pub replica_connections: u32,
    /// A replica that lags more than this serves no reads while the primary answers.
    pub replica_lag_max: Duration,
    /// The limit of one statement.
    pub statement_timeout: Duration,
    /// The limit of the wait for a locked row.
    pub lock_timeout: Duration,
    /// The limit of the wait for a free connection.
    pub acquire_timeout: Duration,
    /// Seals stored answers. Without it a random key is used: no other process can then read the answers that this one stores.
    pub sealer: Option<Sealer>,
    /// Limits of what an organization may create.
    pub quotas: Quotas,
}

impl PostgresSettings {
    /// Settings with default limits.
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
            replica_lag_max: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(2),
            acquire_timeout: Duration::from_secs(2),
            sealer: None,
            quotas: Quotas::default(),
        }
    }
}

impl std::fmt::Debug for PostgresSettings {
    /// Omits the URLs, which contain passwords.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresSettings").field("replicas", &self.replicas.len()).finish_non_exhaustive()
    }
}
