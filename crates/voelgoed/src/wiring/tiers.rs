//! Opens what the configuration names behind the warm and the cold tier.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use voelgoed_app::environment::Environment;
use voelgoed_app::scanning::ports::KeptScans;
use voelgoed_app::ticketing::ports::InventoryStore;
use voelgoed_cold::{Cold, ColdConfig};
use voelgoed_resilience::Capabilities;
use voelgoed_warm::guarded::{Guarded, WarmPorts};
use voelgoed_warm::memory::MemoryInventory;

use crate::tiers::{ColdStore, WarmStore};

/// Opens the cold tier and brings its schema up to date.
pub async fn cold(
    store: &ColdStore,
    directory: &Path,
    environment: &Arc<dyn Environment>,
) -> anyhow::Result<Arc<Cold>> {
    let config = match store {
        ColdStore::Embedded => ColdConfig::embedded(directory),
        ColdStore::Postgres { .. } => bail!("this program was built without Postgres"),
    };
    let cold =
        Cold::open(config, Arc::clone(environment)).await.with_context(|| format!("cold.url ({})", store.name()))?;
    Ok(Arc::new(cold))
}

/// The warm tier's ports, by one store.
pub struct Warm {
    /// Places and holds.
    pub inventory: Arc<dyn InventoryStore>,
    /// Scans that wait for cold.
    pub kept_scans: Arc<dyn KeptScans>,
    /// What stands before a store that can be away; this process's own memory cannot.
    pub guard: Option<Arc<Guarded>>,
}

impl Warm {
    fn near(store: Arc<impl WarmPorts>) -> Self {
        Self { inventory: store.clone(), kept_scans: store, guard: None }
    }

    #[expect(dead_code, reason = "stores elsewhere come with their adapter")]
    fn far(store: Arc<impl WarmPorts>, capabilities: &Capabilities) -> Self {
        let seed = u64::from(std::process::id());
        let guard = Arc::new(Guarded::new(store, capabilities.clone(), seed));
        Self { inventory: guard.clone(), kept_scans: guard.clone(), guard: Some(guard) }
    }
}

/// Opens the warm tier, whose health goes to `capabilities`.
pub async fn warm(
    store: &WarmStore,
    environment: &Arc<dyn Environment>,
    _capabilities: &Capabilities,
) -> anyhow::Result<Warm> {
    match store {
        WarmStore::Memory => Ok(Warm::near(Arc::new(MemoryInventory::new(Arc::clone(environment))))),
        WarmStore::Redis(_) | WarmStore::RedisCluster(_) => bail!("this program was built without Redis"),
    }
}
