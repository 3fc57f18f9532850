//! One suite per port, run by every adapter: what a port promises, as code.
//!
//! Never: knowledge of an adapter. To add a suite: a module named after the port's slice, called from each adapter's `tests/`.

pub mod accounts;
pub mod allowances;
pub mod analytics;
pub mod bulletin;
pub mod catalog;
pub mod catalogue;
pub mod count_stream;
pub mod counts;
pub mod devices;
pub mod directory;
pub mod gateway;
pub mod idempotency;
pub mod inventory;
pub mod jobs;
pub mod kept_scans;
pub mod late_money;
pub mod nodes;
pub mod orders;
pub mod outbox;
pub mod payments;
pub mod places;
pub mod presence;
pub mod refunds;
pub mod retention;
pub mod scans;
pub mod selling;
pub mod subject;
pub mod unpaid;
