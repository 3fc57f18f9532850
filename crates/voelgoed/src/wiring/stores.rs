//! Opens the stores of the warm and the cold tier that the configuration names.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use voelgoed_app::accounts::quotas::Quotas;
use voelgoed_app::environment::Environment;
use voelgoed_app::limits::ports::Allowances;
use voelgoed_app::nodes::ports::Presence;
use voelgoed_app::outbox::cluster_bus::ClusterBus;
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

/// The store of the warm tier.
pub enum WarmTier {
    /// In the memory of this process.
    Memory(Arc<MemoryInventory>),
    /// Outside of this process, behind the guard that reports its health.
    Guarded(Arc<GuardedWarm>),
}

impl WarmTier {
    /// Places and holds.
    pub fn inventory(&self) -> Arc<dyn InventoryStore> {
        match self {
            Self::Memory(store) => store.clone(),
            Self::Guarded(guard) => guard.clone(),
        }
    }

    /// The guard of a store outside of this process.
    pub fn guard(&self) -> Option<Arc<GuardedWarm>> {
        match self {
            Self::Memory(_) => None,
            Self::Guarded(guard) => Some(Arc::clone(guard)),
        }
    }
}

/// The warm tier, and the ports of it that no slice has.
pub struct WarmStores {
    /// The store.
    pub tier: WarmTier,
    /// Viewer counts of all nodes.
    pub presence: Arc<dyn Presence>,
    /// Rate limits over all nodes; none for a single node.
    pub allowances: Option<Arc<dyn Allowances>>,
    /// Publishes messages to other nodes; none for a single node.
    pub cluster_bus: Option<Arc<dyn ClusterBus>>,
}

impl WarmStores {
    fn in_memory(store: Arc<MemoryInventory>) -> Self {
        Self { presence: store.clone(), tier: WarmTier::Memory(store), allowances: None, cluster_bus: None }
    }

    fn guarded(store: Arc<impl WarmPorts + ClusterBus>, capabilities: &Capabilities) -> Self {
        let seed = u64::from(std::process::id());
        let guard = Arc::new(GuardedWarm::new(store.clone(), capabilities.clone(), seed));
        Self {
            presence: guard.clone(),
            allowances: Some(guard.clone()),
            tier: WarmTier::Guarded(guard),
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
