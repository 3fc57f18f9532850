//! Implements the ledger: journal entries are appended in the commit of their sale or refund, and read as balances and lists (P5).
//!
//! Never: an update or a delete in this folder; a wrong entry is reversed by another entry.

use async_trait::async_trait;
use voelgoed_app::error::StoreResult;
use voelgoed_app::ledger::ports::{Balance, LedgerStore, StoredEntry};
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_domain::ids::{EntryId, OrganizationId};

use crate::Cold;

mod append;
mod balances;
mod entries;
#[cfg(test)]
mod tests;
mod unbalanced;

pub(crate) use append::{EntryHeader, append};

#[async_trait]
impl LedgerStore for Cold {
    async fn balances(&self, organization: OrganizationId) -> StoreResult<Vec<Balance>> {
        Ok(balances::balances(&self.reports, organization).await?)
    }

    async fn entries(&self, organization: OrganizationId, page: PageRequest) -> StoreResult<Page<StoredEntry>> {
        Ok(entries::entries(&self.reports, organization, page).await?)
    }

    async fn unbalanced(&self) -> StoreResult<Vec<EntryId>> {
        Ok(unbalanced::unbalanced(&self.reports).await?)
    }
}
