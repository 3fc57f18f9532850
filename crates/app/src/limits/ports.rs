//! Declares the store of rate limits that all nodes share.

use async_trait::async_trait;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_resilience::{RateLimit, SpendOutcome};

use crate::error::StoreResult;

/// The caller whose allowance is spent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Caller {
    /// The caller's organization; none for a buyer's session and for an address.
    pub organization: Option<OrganizationId>,
    /// The caller's name, text without spaces.
    pub name: String,
}

/// Counts the allowances of all nodes, by the store's own clock.
#[async_trait]
pub trait Allowances: Send + Sync + 'static {
    /// Spends up to `wanted` of the caller's remaining allowance under `limit`; the arithmetic is `voelgoed_resilience::allowance::spend`.
    async fn spend(&self, limit: RateLimit, caller: &Caller, wanted: u32) -> StoreResult<SpendOutcome>;
}
