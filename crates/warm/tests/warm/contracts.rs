//! Every suite of `testing/contracts` that a warm adapter keeps, run by each of them.

use std::sync::Arc;

use voelgoed_contracts::subject::{Subject, TestEnvironment};

mod memory {
    use voelgoed_warm::memory::MemoryInventory;

    use super::*;

    async fn open() -> Subject<MemoryInventory> {
        let environment = Arc::new(TestEnvironment::default());
        let store = Arc::new(MemoryInventory::new(Arc::clone(&environment) as _));
        Subject { store, environment, keep: Box::new(()) }
    }

    mod count_stream {
        use super::*;

        voelgoed_contracts::count_stream_suite!(open());
    }

    mod inventory {
        use super::*;

        voelgoed_contracts::inventory_store_suite!(open());
    }

    mod kept_scans {
        use super::*;

        voelgoed_contracts::kept_scans_suite!(open());
    }

    mod presence {
        use super::*;

        voelgoed_contracts::presence_suite!(open());
    }
}

mod redis {
    mod allowances {
        voelgoed_contracts::allowances_suite!(crate::servers::subject(crate::servers::single().await.url()));
    }
    mod bulletin {
        voelgoed_contracts::bulletin_suite!(crate::servers::subject(crate::servers::single().await.url()));
    }
    mod count_stream {
        voelgoed_contracts::count_stream_suite!(crate::servers::subject(crate::servers::single().await.url()));
    }
    mod inventory {
        voelgoed_contracts::inventory_store_suite!(crate::servers::subject(crate::servers::single().await.url()));
    }
    mod kept_scans {
        voelgoed_contracts::kept_scans_suite!(crate::servers::subject(crate::servers::single().await.url()));
    }
    mod presence {
        voelgoed_contracts::presence_suite!(crate::servers::subject(crate::servers::single().await.url()));
    }
}

mod redis_cluster {
    mod allowances {
        voelgoed_contracts::allowances_suite!(crate::servers::subject(crate::servers::cluster().await.url()));
    }
    mod bulletin {
        voelgoed_contracts::bulletin_suite!(crate::servers::subject(crate::servers::cluster().await.url()));
    }
    mod count_stream {
        voelgoed_contracts::count_stream_suite!(crate::servers::subject(crate::servers::cluster().await.url()));
    }
    mod inventory {
        voelgoed_contracts::inventory_store_suite!(crate::servers::subject(crate::servers::cluster().await.url()));
    }
    mod kept_scans {
        voelgoed_contracts::kept_scans_suite!(crate::servers::subject(crate::servers::cluster().await.url()));
    }
    mod presence {
        voelgoed_contracts::presence_suite!(crate::servers::subject(crate::servers::cluster().await.url()));
    }
}

/// As the user of `deploy/README.md`, with no more rights than it says.
mod redis_restricted {
    mod allowances {
        voelgoed_contracts::allowances_suite!(crate::servers::subject(crate::servers::restricted().await));
    }
    mod bulletin {
        voelgoed_contracts::bulletin_suite!(crate::servers::subject(crate::servers::restricted().await));
    }
    mod count_stream {
        voelgoed_contracts::count_stream_suite!(crate::servers::subject(crate::servers::restricted().await));
    }
    mod inventory {
        voelgoed_contracts::inventory_store_suite!(crate::servers::subject(crate::servers::restricted().await));
    }
    mod kept_scans {
        voelgoed_contracts::kept_scans_suite!(crate::servers::subject(crate::servers::restricted().await));
    }
    mod presence {
        voelgoed_contracts::presence_suite!(crate::servers::subject(crate::servers::restricted().await));
    }
}
