//! Opens the stores of the warm and the cold tier that the configuration names.

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
use voelgoed_warm::guarded::{GuardedClusterBus, GuardedWarm, WarmPorts};
use voelgoed_warm::memory::MemoryInventory;
use voelgoed_warm::redis::RedisWarm;

use crate::store_urls::{ColdStore, WarmStore};

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

/// The addresses of Postgres; empty for the embedded store.
pub fn postgres(store: &ColdStore) -> PostgresSettings {
    match store {
        ColdStore::Embedded => PostgresSettings::new(""),
        ColdStore::Postgres { primary, replicas } => {
            PostgresSettings { replicas: replicas.clone(), ..PostgresSettings::new(primary) }
        }
    }
}

/// The ports of the warm tier, all by one store.
pub struct WarmStores {
    /// Places and holds.
    pub inventory: Arc<dyn InventoryStore>,
    /// Scans that wait for cold.
    pub offline_scans: Arc<dyn OfflineScanJournal>,
    /// Viewer counts of all nodes.
    pub presence: Arc<dyn Presence>,
    /// Counts that wait for cold.
    pub count_stream: Arc<dyn CountStream>,
    /// Rate limits over all nodes; none for a single node.
    pub allowances: Option<Arc<dyn Allowances>>,
    /// Reports the health of a store outside of this process.
    pub guard: Option<Arc<GuardedWarm>>,
    /// Publishes messages to other nodes; none for a single node.
    pub cluster_bus: Option<Arc<dyn ClusterBus>>,
}

impl WarmStores {
    fn in_memory(store: Arc<MemoryInventory>) -> Self {
        Self {
            inventory: store.clone(),
            offline_scans: store.clone(),
            count_stream: store.clone(),
            presence: store,
            allowances: None,
            guard: None,
            cluster_bus: None,
        }
    }

    fn guarded(store: Arc<impl WarmPorts + ClusterBus>, capabilities: &Capabilities) -> Self {
        let seed = u64::from(std::process::id());
        let guard = Arc::new(GuardedWarm::new(store.clone(), capabilities.clone(), seed));
        Self {
            inventory: guard.clone(),
            offline_scans: guard.clone(),
            presence: guard.clone(),
            count_stream: guard.clone(),
            allowances: Some(guard.clone()),
            guard: Some(guard),
            cluster_bus: Some(Arc::new(GuardedClusterBus::new(store, seed))),
        }
    }
}

/// Opens the warm tier, whose health goes to `capabilities`; Redis is connected to at the first call.
pub fn warm(store: &WarmStore, environment: &Arc<dyn Environment>, capabilities: &Capabilities) -> WarmStores {
    match store {
        WarmStore::Memory => WarmStores::in_memory(Arc::new(MemoryInventory::new(Arc::clone(environment)))),
        WarmStore::Redis(settings) => {
            WarmStores::guarded(Arc::new(RedisWarm::open(settings.clone(), Arc::clone(environment))), capabilities)
        }
    }
}
