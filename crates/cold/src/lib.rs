//! The durable tier: everything that must survive, behind the ports of `voelgoed_app`, on SQLite (embedded) or Postgres.
//!
//! Never: a decision that `voelgoed_domain` does not make, a statement without its organization unless the port says "system role" (P7), a reply before
//! the flush (P3). State and its outbox row are one commit (P8). One folder per slice, one file per operation; `db/` is the store layer, `committer/`
//! lets many commands share a transaction. To add a port method: its file in the slice's folder, its statement as a `Sql`, its suite in `testing/contracts`.

mod accounts;
mod analytics;
pub mod backup;
mod catalog;
mod checkout;
mod committer;
pub mod db;
mod facts;
mod idempotency;
mod jobs;
mod ledger;
mod nodes;
mod outbox;
mod payments;
pub mod process_claim;
mod pulse;
mod quotas;
mod readable;
mod retention;
mod scanning;
pub mod standby;
mod statistics;
mod take_over;
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
use crate::db::{Db, Lane, PostgresSettings};
use crate::payments::learn::Lessons;
use crate::payments::lease_send::SendLeases;
use crate::scanning::entries::RecordScans;

pub use crate::committer::CommitMode;

/// How to open the cold tier.
#[derive(Debug, Clone)]
pub struct ColdConfig {
    /// The directory that holds the embedded database.
    pub data_dir: PathBuf,
    /// Whether orders, payments and scans share transactions; benchmarks compare.
    pub commits: CommitMode,
    /// Seals stored answers; where it is absent, only this opening of the database can read the answers that it writes.
    pub sealer: Option<Sealer>,
    /// What an organization may have.
    pub quotas: Quotas,
}

impl ColdConfig {
    /// The embedded database in `data_dir`, with shared transactions.
    #[must_use]
    pub fn embedded(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), commits: CommitMode::Shared, sealer: None, quotas: Quotas::default() }
    }
}

/// The cold tier; implements every port of it.
pub struct Cold {
    db: Db,
    /// The same on the connections of what sells, charges and admits.
    sale: Db,
    /// The same for what buyers and gates are shown of that: a replica answers while the primary is away.
    shown: Db,
    /// The same where lists and reports are read: a replica that is near enough, where there is one.
    reports: Db,
    environment: Arc<dyn Environment>,
    plans: catalog::Plans,
    orders: Batcher<PlaceOrders>,
    lessons: Batcher<Lessons>,
    send_leases: Batcher<SendLeases>,
    scans: Batcher<RecordScans>,
}

impl std::fmt::Debug for Cold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cold").field("db", &self.db).finish_non_exhaustive()
    }
}

impl Cold {
    /// Opens the database and brings its schema up to date.
    ///
    /// # Errors
    /// [`db::Error`] where the file cannot be opened or is not ours.
    pub async fn open(config: ColdConfig, environment: Arc<dyn Environment>) -> db::Result<Self> {
        let db = Db::open_sqlite(&config.data_dir).await?;
        db.keep_within(config.quotas);
        Ok(Self::start(db, config.commits, config.sealer, environment))
    }

    /// Connects to a Postgres whose schema [`db::migrate_postgres`] has brought up to date.
    ///
    /// # Errors
    /// [`db::Error::Away`] where it does not answer; [`db::Error::Internal`] where address, role or schema are not usable.
    pub async fn open_postgres(settings: &PostgresSettings, environment: Arc<dyn Environment>) -> db::Result<Self> {
        let db = Db::open_postgres(settings).await?;
        db.keep_within(settings.quotas.clone());
        Ok(Self::start(db, CommitMode::Shared, settings.sealer.clone(), environment))
    }

    fn start(db: Db, mode: CommitMode, sealer: Option<Sealer>, environment: Arc<dyn Environment>) -> Self {
        db.seal_with(sealer.unwrap_or_else(|| Sealer::new(&MasterKey::new(environment.random()))));
        let sale = db.lane(Lane::Sale);
        let orders = Batcher::start(PlaceOrders { environment: environment.clone() }, sale.clone(), mode);
        let lessons = Batcher::start(Lessons { environment: environment.clone() }, sale.clone(), mode);
        let send_leases = Batcher::start(SendLeases, sale.clone(), mode);
        let scans = Batcher::start(RecordScans { environment: environment.clone() }, db.lane(Lane::Gate), mode);
        let (shown, reports) = (db.lane(Lane::Shown), db.lane(Lane::Reports));
        Self {
            db,
            sale,
            shown,
            reports,
            environment,
            plans: catalog::Plans::default(),
            orders,
            lessons,
            send_leases,
            scans,
        }
    }

    /// Ends all connections once what runs is done; what is sent afterwards is answered as away.
    pub async fn close(&self) {
        self.db.close().await;
    }

    /// The store layer, for backups and for tests that look behind the ports.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.db
    }
}
