//! Limits the concurrent work of each organization on a node, per class of work, so that every organization's sale keeps its share, and holds leave room for
//! orders and scans (P7, P9).
//!
//! Never: a refusal after work has begun, so a refused request has changed nothing. To add a class: a variant of [`WorkClass`].

use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_resilience::bulkhead::BulkheadLimit;
use voelgoed_resilience::keyed_bulkhead::KeyedBulkhead;

use crate::error::CommandResult;

/// Organizations that have their own bulkhead; all others share one.
const ORGANIZATIONS_MAX: usize = 10_000;
/// Seconds after which a refused request may be sent again.
const RETRY_SECONDS: u32 = 1;

/// A class of work; each has its own bulkheads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkClass {
    /// Taking and changing holds.
    Holds,
    /// Placing and paying orders.
    Orders,
    /// Reading tickets at gates.
    Scans,
}

/// The bulkheads of all organizations.
#[derive(Debug)]
pub struct TenantBulkheads {
    holds: KeyedBulkhead<OrganizationId>,
    orders: KeyedBulkhead<OrganizationId>,
    scans: KeyedBulkhead<OrganizationId>,
}

impl TenantBulkheads {
    /// Allows each organization `running` concurrent requests of each class, and `waiting` more in the queue.
    #[must_use]
    pub fn new(running: usize, waiting: usize) -> Self {
        let bulkheads = |name| {
            KeyedBulkhead::new(BulkheadLimit { name, running_max: running, waiting_max: waiting }, ORGANIZATIONS_MAX)
        };
        Self {
            holds: bulkheads("organization_holds"),
            orders: bulkheads("organization_orders"),
            scans: bulkheads("organization_scans"),
        }
    }

    /// Runs `work` when its organization's bulkhead admits it.
    ///
    /// # Errors
    /// `overloaded` if the queue is full; the errors of `work`.
    pub async fn run<T>(
        &self,
        class: WorkClass,
        organization: OrganizationId,
        work: impl Future<Output = CommandResult<T>>,
    ) -> CommandResult<T> {
        let bulkheads = match class {
            WorkClass::Holds => &self.holds,
            WorkClass::Orders => &self.orders,
            WorkClass::Scans => &self.scans,
        };
        bulkheads.run(organization, work).await.unwrap_or_else(|_full| {
            let detail =
                "This organizer has too many requests in progress. Nothing was changed; try again in a moment.";
            Err(Refusal::new(Code::Overloaded, detail)
                .with(|evidence| evidence.retry_after = Some(RETRY_SECONDS))
                .into())
        })
    }
}
