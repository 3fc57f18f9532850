//! Runs the contract suites of the implemented ports, each test on a SQLite file of its own.

#[path = "cases/past_events.rs"]
mod past_events;
#[path = "cases/unreadable.rs"]
mod unreadable;

use std::sync::Arc;

use voelgoed_cold::{Cold, ColdConfig};
use voelgoed_contracts::sut::{Sut, TestEnvironment};
use voelgoed_contracts::test_directory::TestDirectory;

async fn open() -> Sut<Cold> {
    let directory = TestDirectory::new("contracts");
    let environment = Arc::new(TestEnvironment::default());
    let config = ColdConfig::embedded(directory.path());
    let store = Arc::new(Cold::open(config, environment.clone()).await.unwrap());
    Sut { store, environment, keep: Box::new(directory) }
}

mod past_event_rows {
    crate::past_events::past_event_cases!(super::open());
}
mod unreadable_rows {
    crate::unreadable::unreadable_cases!(super::open());
}
mod accounts {
    voelgoed_contracts::account_store_suite!(super::open());
}
mod analytics {
    voelgoed_contracts::analytics_store_suite!(super::open());
}
mod catalog {
    voelgoed_contracts::catalog_store_suite!(super::open());
}
mod devices {
    voelgoed_contracts::device_store_suite!(super::open());
}
mod idempotency {
    voelgoed_contracts::idempotency_store_suite!(super::open());
}
mod jobs {
    voelgoed_contracts::job_store_suite!(super::open());
}
mod nodes {
    voelgoed_contracts::node_store_suite!(super::open());
}
mod outbox {
    voelgoed_contracts::outbox_store_suite!(super::open());
}
mod orders {
    voelgoed_contracts::order_store_suite!(super::open());
}
mod payments {
    voelgoed_contracts::payment_store_suite!(super::open());
}
mod places {
    voelgoed_contracts::place_store_suite!(super::open());
}
mod refunds {
    voelgoed_contracts::refund_store_suite!(super::open());
}
mod retention {
    voelgoed_contracts::retention_store_suite!(super::open());
}
mod scans {
    voelgoed_contracts::scan_store_suite!(super::open());
}
