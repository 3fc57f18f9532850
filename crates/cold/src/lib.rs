//! Implements the stores of `voelgoed_app` that must survive a crash, on SQLite (embedded) or Postgres.
//!
//! One folder per slice, one file per operation; `db/` is the store layer, `committer/` lets many commands share a transaction. Decisions come from
//! `voelgoed_domain`. Every statement names its organization, except where the port says "system role" (P7). A reply follows the flush (P3). State and its
//! outbox row are one commit (P8). To add a port method: its file in the slice's folder, its statement as a `Sql`, its suite in `testing/contracts`.

mod accounts;
mod analytics;
pub mod backup;
mod catalog;
mod checkout;
mod committer;
pub mod db;

mod analyze_grown_tables;
mod decode_rows;
mod idempotency;
mod jobs;
mod ledger;
mod nodes;
mod outbox;
mod payments;
mod probe;
pub mod process_claim;
mod quotas;
mod reclaim_leases;
mod retention;
mod scanning;
pub mod standby;
#[cfg(test)]
mod testing;
mod ticketing;

use std::path::PathBuf;
use std::sync::Arc;

use voelgoed_app::accounts::quotas::Quotas;
use voelgoed_app::environment::Environment;
use voelgoed_app::sealing::Sealer;
use voelgoed_app::token::MasterKey;

use crate::checkout::place_order::PlaceOrders;
use crate::committer::Batcher;
use crate::db::{Db, PoolClass, PostgresSettings};
use crate::payments::lease_send::SendLeases;
use crate::payments::payment_updates::PaymentUpdates;
use crate::scanning::scans::RecordScans;

pub use crate::committer::CommitMode;

/// How to open the embedded cold tier.
#[derive(Debug, Clone)]
pub struct ColdConfig {
    /// The directory that holds the embedded database.
    pub data_dir: PathBuf,
    /// Whether orders, payments and scans share transactions; benchmarks compare both modes.
    pub commits: CommitMode,
    /// Seals stored answers. Without it a random key is used: no other process can then read the answers that this one stores.
    pub sealer: Option<Sealer>,
    /// Limits of what an organization may create.
    pub quotas: Quotas,
}

impl ColdConfig {
    /// The embedded database in `data_dir`, with shared transactions and default quotas.
    #[must_use]
    pub fn embedded(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), commits: CommitMode::Shared, sealer: None, quotas: Quotas::default() }
    }
}

/// The cold tier; implements every port of the durable stores.
pub struct Cold {
    db: Db,
    /// `db` through the connections of orders, payments and scans.
    sale: Db,
    /// `db` for reads that buyers and gates are shown: a replica answers while the primary is unavailable.
    display: Db,
    /// `db` for lists and reports: a replica that is near enough, where there is one.
    reports: Db,
    environment: Arc<dyn Environment>,
    plans: catalog::PlanCache,
    orders: Batcher<PlaceOrders>,
    payment_updates: Batcher<PaymentUpdates>,
    send_leases: Batcher<SendLeases>,
    scans: Batcher<RecordScans>,
}

impl std::fmt::Debug for Cold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cold").field("db", &self.db).finish_non_exhaustive()
    }
}

impl Cold {
    /// Opens the embedded database and migrates its schema.
    ///
    /// # Errors
    /// [`db::DbError`] where the file cannot be opened or its schema is not one of this program.
    pub async fn open(config: ColdConfig, environment: Arc<dyn Environment>) -> db::DbResult<Self> {
        let db = Db::open_sqlite(&config.data_dir).await?;
        db.set_quotas(config.quotas);
        Ok(Self::start(db, config.commits, config.sealer, environment))
    }

    /// Connects to a Postgres whose schema [`db::migrate_postgres`] has migrated.
    ///
    /// # Errors
    /// [`db::DbError::Unavailable`] where the server does not answer; [`db::DbError::Internal`] where address, role or schema are not usable.
    pub async fn open_postgres(settings: &PostgresSettings, environment: Arc<dyn Environment>) -> db::DbResult<Self> {
        let db = Db::open_postgres(settings).await?;
        db.set_quotas(settings.quotas.clone());
        Ok(Self::start(db, CommitMode::Shared, settings.sealer.clone(), environment))
    }

    fn start(db: Db, mode: CommitMode, sealer: Option<Sealer>, environment: Arc<dyn Environment>) -> Self {
        db.set_sealer(sealer.unwrap_or_else(|| Sealer::new(&MasterKey::new(environment.random()))));
        let sale = db.with_pool_class(PoolClass::Sale);
        let orders = Batcher::start(PlaceOrders { environment: environment.clone() }, sale.clone(), mode);
        let payment_updates = Batcher::start(PaymentUpdates { environment: environment.clone() }, sale.clone(), mode);
        let send_leases = Batcher::start(SendLeases, sale.clone(), mode);
        let scans =
            Batcher::start(RecordScans { environment: environment.clone() }, db.with_pool_class(PoolClass::Gate), mode);
        let (display, reports) = (db.with_pool_class(PoolClass::Display), db.with_pool_class(PoolClass::Reports));
        Self {
            db,
            sale,
            display,
            reports,
            environment,
            plans: catalog::PlanCache::default(),
            orders,
            payment_updates,
            send_leases,
            scans,
        }
    }

    /// Closes all connections once running statements are done; later calls fail as unavailable.
    pub async fn close(&self) {
        self.db.close().await;
    }

    /// The store layer, for tests that read or write rows behind the ports.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.db
    }
}
