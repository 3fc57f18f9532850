//! Runs every contract suite of the warm tier against each adapter.

use std::sync::Arc;

use voelgoed_contracts::sut::{Sut, TestEnvironment};
use voelgoed_warm::redis::RedisWarm;

use crate::shared_servers;

async fn single() -> Sut<RedisWarm> {
    shared_servers::sut(shared_servers::single().await.url()).await
}

async fn cluster() -> Sut<RedisWarm> {
    shared_servers::sut(shared_servers::cluster().await.url()).await
}

/// With the user and the ACL rule of `deploy/README.md`.
async fn restricted() -> Sut<RedisWarm> {
    shared_servers::sut(shared_servers::restricted().await).await
}

mod memory {
    use voelgoed_warm::memory::MemoryInventory;

    use super::*;

    async fn open() -> Sut<MemoryInventory> {
        let environment = Arc::new(TestEnvironment::default());
        let store = Arc::new(MemoryInventory::new(Arc::clone(&environment) as _));
        Sut { store, environment, keep: Box::new(()) }
    }

    mod count_stream {
        use super::*;

        voelgoed_contracts::count_stream_suite!(open());
    }

    mod inventory {
        use super::*;

        voelgoed_contracts::inventory_store_suite!(open());
    }

    mod offline_scan_journal {
        use super::*;

        voelgoed_contracts::offline_scan_journal_suite!(open());
    }

    mod presence {
        use super::*;

        voelgoed_contracts::presence_suite!(open());
    }
}

mod redis {
    mod allowances {
        voelgoed_contracts::allowances_suite!(crate::contracts::single());
    }
    mod cluster_bus {
        voelgoed_contracts::cluster_bus_suite!(crate::contracts::single());
    }
    mod count_stream {
        voelgoed_contracts::count_stream_suite!(crate::contracts::single());
    }
    mod inventory {
        voelgoed_contracts::inventory_store_suite!(crate::contracts::single());
    }
    mod offline_scan_journal {
        voelgoed_contracts::offline_scan_journal_suite!(crate::contracts::single());
    }
    mod presence {
        voelgoed_contracts::presence_suite!(crate::contracts::single());
    }
}

mod redis_cluster {
    mod allowances {
        voelgoed_contracts::allowances_suite!(crate::contracts::cluster());
    }
    mod cluster_bus {
        voelgoed_contracts::cluster_bus_suite!(crate::contracts::cluster());
    }
    mod count_stream {
        voelgoed_contracts::count_stream_suite!(crate::contracts::cluster());
    }
    mod inventory {
        voelgoed_contracts::inventory_store_suite!(crate::contracts::cluster());
    }
    mod offline_scan_journal {
        voelgoed_contracts::offline_scan_journal_suite!(crate::contracts::cluster());
    }
    mod presence {
        voelgoed_contracts::presence_suite!(crate::contracts::cluster());
    }
}

mod redis_restricted {
    mod allowances {
        voelgoed_contracts::allowances_suite!(crate::contracts::restricted());
    }
    mod cluster_bus {
        voelgoed_contracts::cluster_bus_suite!(crate::contracts::restricted());
    }
    mod count_stream {
        voelgoed_contracts::count_stream_suite!(crate::contracts::restricted());
    }
    mod inventory {
        voelgoed_contracts::inventory_store_suite!(crate::contracts::restricted());
    }
    mod offline_scan_journal {
        voelgoed_contracts::offline_scan_journal_suite!(crate::contracts::restricted());
    }
    mod presence {
        voelgoed_contracts::presence_suite!(crate::contracts::restricted());
    }
}
