//! Opens what the configuration names behind the warm and the cold tier.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use voelgoed_app::accounts::quotas::Quotas;
use voelgoed_app::analytics::ports::CountStream;
use voelgoed_app::environment::Environment;
use voelgoed_app::limits::ports::Allowances;
use voelgoed_app::nodes::ports::Presence;
use voelgoed_app::outbox::cluster_bus::ClusterBus;
use voelgoed_app::scanning::ports::OfflineScanJournal;
use voelgoed_app::sealing::Sealer;
use voelgoed_app::ticketing::ports::InventoryStore;
use voelgoed_app::token::MasterKey;
use voelgoed_cold::db::PostgresSettings;
use voelgoed_cold::{Cold, ColdConfig};
use voelgoed_resilience::Capabilities;
use voelgoed_warm::guarded::{Guarded, GuardedBulletin, WarmPorts};
use voelgoed_warm::memory::MemoryInventory;
use voelgoed_warm::redis::RedisWarm;

use crate::tiers::{ColdStore, WarmStore};

/// Opens the cold tier. The embedded one brings its schema up to date; that of Postgres must be (`voelgoed migrate`).
pub async fn cold(
    store: &ColdStore,
    directory: &Path,
    environment: &Arc<dyn Environment>,
    master: &MasterKey,
    quotas: Quotas,
) -> anyhow::Result<Arc<Cold>> {
    let sealer = Some(Sealer::new(master));
    let opened = match store {
        ColdStore::Embedded => {
            Cold::open(ColdConfig { sealer, quotas, ..ColdConfig::embedded(directory) }, Arc::clone(environment)).await
        }
        ColdStore::Postgres { .. } => {
            Cold::open_postgres(&PostgresSettings { sealer, quotas, ..postgres(store) }, Arc::clone(environment)).await
        }
    };
    Ok(Arc::new(opened.with_context(|| format!("cold.url ({})", store.name()))?))
}

/// Where the Postgres of the settings is.
pub fn postgres(store: &ColdStore) -> PostgresSettings {
    match store {
        ColdStore::Embedded => PostgresSettings::new(""),
        ColdStore::Postgres { primary, replicas } => {
            PostgresSettings { replicas: replicas.clone(), ..PostgresSettings::new(primary) }
        }
    }
}

/// The warm tier's ports, by one store.
pub struct Warm {
    /// Places and holds.
    pub inventory: Arc<dyn InventoryStore>,
    /// Scans that wait for cold.
    pub kept_scans: Arc<dyn OfflineScanJournal>,
    /// Who watches at which node.
    pub presence: Arc<dyn Presence>,
    /// What nodes counted.
    pub count_stream: Arc<dyn CountStream>,
    /// What callers may still do, over all nodes, where there can be any.
    pub allowances: Option<Arc<dyn Allowances>>,
    /// What stands before a store that can be away; this process's own memory cannot.
    pub guard: Option<Arc<Guarded>>,
    /// Tells other nodes, where there can be any.
    pub bulletin: Option<Arc<dyn ClusterBus>>,
}

impl Warm {
    fn near(store: Arc<MemoryInventory>) -> Self {
        Self {
            inventory: store.clone(),
            kept_scans: store.clone(),
            count_stream: store.clone(),
            presence: store,
            allowances: None,
            guard: None,
            bulletin: None,
        }
    }

    fn far(store: Arc<impl WarmPorts + ClusterBus>, capabilities: &Capabilities) -> Self {
        let seed = u64::from(std::process::id());
        let guard = Arc::new(Guarded::new(store.clone(), capabilities.clone(), seed));
        Self {
            inventory: guard.clone(),
            kept_scans: guard.clone(),
            presence: guard.clone(),
            count_stream: guard.clone(),
            allowances: Some(guard.clone()),
            guard: Some(guard),
            bulletin: Some(Arc::new(GuardedBulletin::new(store, seed))),
        }
    }
}

/// Opens the warm tier, whose health goes to `capabilities`; Redis is connected to at the first call.
pub fn warm(store: &WarmStore, environment: &Arc<dyn Environment>, capabilities: &Capabilities) -> Warm {
    match store {
        WarmStore::Memory => Warm::near(Arc::new(MemoryInventory::new(Arc::clone(environment)))),
        WarmStore::Redis(settings) => {
            Warm::far(Arc::new(RedisWarm::open(settings.clone(), Arc::clone(environment))), capabilities)
        }
    }
}
