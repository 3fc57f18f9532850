//! What one organization may have in work on a node: its sale cannot starve another's, nor its holds its own orders and scans (P7, P9).
//!
//! Never: a share of what has begun already; whoever is refused has changed nothing. To give a kind of work its own shares: a variant of [`WorkClass`].

use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_resilience::bulkhead::BulkheadLimit;
use voelgoed_resilience::shares::Shares;

use crate::error::Result;

/// Organizations that have shares of their own at once; beyond them the others have one in common.
const MOST: usize = 10_000;
/// When a refused one should come again, in seconds.
const AGAIN: u32 = 1;

/// What has shares of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkClass {
    /// Taking and changing holds.
    Holds,
    /// Placing and paying orders.
    Orders,
    /// Reading tickets at gates.
    Scans,
}

/// The shares of every organization.
#[derive(Debug)]
pub struct TenantBulkheads {
    holds: Shares<OrganizationId>,
    orders: Shares<OrganizationId>,
    scans: Shares<OrganizationId>,
}

impl TenantBulkheads {
    /// Of each kind of work an organization may have `running` under way, while `waiting` more wait.
    #[must_use]
    pub fn new(running: usize, waiting: usize) -> Self {
        let shares = |name| Shares::new(BulkheadLimit { name, running, waiting }, MOST);
        Self {
            holds: shares("organization_holds"),
            orders: shares("organization_orders"),
            scans: shares("organization_scans"),
        }
    }

    /// Does a piece of work once its organization has room for it.
    ///
    /// # Errors
    /// `overloaded` where too much of it waits; and what the work itself says.
    pub async fn within<T>(
        &self,
        kind: WorkClass,
        organization: OrganizationId,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let shares = match kind {
            WorkClass::Holds => &self.holds,
            WorkClass::Orders => &self.orders,
            WorkClass::Scans => &self.scans,
        };
        shares.within(organization, work).await.unwrap_or_else(|_full| {
            let detail = "Too much is asked of this organizer right now. Try again in a moment.";
            Err(Refusal::new(Code::Overloaded, detail).with(|evidence| evidence.retry_after = Some(AGAIN)).into())
        })
    }
}
