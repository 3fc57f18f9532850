//! Opens what the configuration names behind the warm and the cold tier.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use voelgoed_app::environment::Environment;
use voelgoed_app::ticketing::ports::InventoryStore;
use voelgoed_cold::{Cold, ColdConfig};
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

/// Opens the warm tier.
pub async fn warm(store: &WarmStore, environment: &Arc<dyn Environment>) -> anyhow::Result<Arc<dyn InventoryStore>> {
    match store {
        WarmStore::Memory => Ok(Arc::new(MemoryInventory::new(Arc::clone(environment)))),
        WarmStore::Redis(_) | WarmStore::RedisCluster(_) => bail!("this program was built without Redis"),
    }
}
