//! What limits that all nodes share need of the warm tier.

use async_trait::async_trait;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_resilience::{RateLimit, Spent};

use crate::error::StoreResult;

/// Whose allowance it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Caller {
    /// The tenant, where the caller belongs to one; a buyer's session and an address belong to none.
    pub organization: Option<OrganizationId>,
    /// Who, as text without spaces.
    pub name: String,
}

/// Allowances that are counted once for all nodes, by the store's own clock.
#[async_trait]
pub trait Allowances: Send + Sync + 'static {
    /// Spends up to `most` of what `caller` may still do under `limit`, as `voelgoed_resilience::allowance::spend` does.
    async fn spend(&self, limit: RateLimit, caller: &Caller, most: u32) -> StoreResult<Spent>;
}
