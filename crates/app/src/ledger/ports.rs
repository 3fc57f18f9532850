//! Declares the ledger store, which reads balances and journal entries; the commits of payments write them.

use async_trait::async_trait;
use voelgoed_domain::ids::{EntryId, EventId, OrderId, OrganizationId};
use voelgoed_domain::money::Currency;
use voelgoed_domain::time::Timestamp;

use crate::error::StoreResult;
use crate::page::{Page, PageRequest};

/// An account's balance in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// The account's text form.
    pub account: String,
    /// The currency.
    pub currency: Currency,
    /// The sum of the account's postings in minor units; debits are positive.
    pub amount: i64,
}

/// A posting of a stored entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPosting {
    /// The account's text form.
    pub account: String,
    /// Minor units; debits are positive.
    pub amount: i64,
}

/// A stored journal entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// Its identifier.
    pub id: EntryId,
    /// `sale`, `refund`, …
    pub kind: String,
    /// The event.
    pub event: EventId,
    /// The order that caused the entry.
    pub order: OrderId,
    /// The currency of its postings.
    pub currency: Currency,
    /// The postings, which sum to zero.
    pub postings: Vec<StoredPosting>,
    /// The time of the entry.
    pub at: Timestamp,
}

/// The ledger in the cold tier.
#[async_trait]
pub trait LedgerStore: Send + Sync + 'static {
    /// Every account's balance.
    async fn balances(&self, organization: OrganizationId) -> StoreResult<Vec<Balance>>;
    /// The entries, oldest first.
    async fn entries(&self, organization: OrganizationId, page: PageRequest) -> StoreResult<Page<StoredEntry>>;
    /// Entries of all organizations whose postings do not sum to zero (system role); not empty only after a bug.
    async fn unbalanced(&self) -> StoreResult<Vec<EntryId>>;
}
