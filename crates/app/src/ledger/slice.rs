//! Builds the ledger from its port; the ledger serves requests only.

use super::Ledger;
use super::ports::LedgerStore;
use crate::adapters::Adapters;
use crate::slice::Slice;

impl Ledger {
    /// The slice's name.
    pub const NAME: &'static str = "ledger";

    /// Builds the slice.
    #[must_use]
    pub fn new<C: LedgerStore, W>(adapters: &Adapters<C, W>) -> Self {
        Self { store: adapters.cold.clone() }
    }
}

impl Slice for Ledger {
    fn name(&self) -> &'static str {
        Self::NAME
    }
}
