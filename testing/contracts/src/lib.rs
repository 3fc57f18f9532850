//! One suite of contract tests per port, run by every adapter.
//!
//! Never: knowledge of an adapter. To add a suite: a module named after the port's slice, called from each adapter's `tests/`.

pub mod accounts;
pub mod allowances;
pub mod analytics;
pub mod catalog;
pub mod catalog_fixtures;
pub mod cluster_bus;
pub mod count_stream;
pub mod devices;
pub mod idempotency;
pub mod inventory;
pub mod jobs;
pub mod nodes;
pub mod offline_scan_journal;
pub mod orders;
pub mod outbox;
pub mod payment_gateway;
pub mod payments;
pub mod places;
pub mod presence;
pub mod refunds;
pub mod retention;
pub mod sales_fixture;
pub mod scans;
pub mod sut;
pub mod test_directory;
