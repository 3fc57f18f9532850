//! Ledger: reads balances and journal entries; the commits of payments and refunds write the entries (P5).

pub mod ports;
pub mod slice;

use std::sync::Arc;

use ports::LedgerStore;

/// Reads balances and entries.
#[derive(Clone)]
pub struct Ledger {
    /// The ledger in the cold tier.
    pub store: Arc<dyn LedgerStore>,
}
