//! A buyer looks at their order, again and again while it is being paid: from this node's memory, so that a crowd that waits does not
//! keep cold from those who buy (P11).
//!
//! Never for a decision, nor for the organizer, who reads cold. What is shown is [`SEEN_WITHIN`] old, at most.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_domain::refusal::Refusal;

use super::ports::OrderDetail;
use crate::error::{Result, StoreResult};
use crate::platform::Platform;

/// A change that nobody told this node of is seen within so long.
pub const SEEN_WITHIN: Duration = Duration::from_secs(1);

/// The node's cache of orders that wait for their payment.
#[async_trait]
pub trait OrderViews: Send + Sync + 'static {
    /// The order with everything that belongs to it; a change that nobody told this node of may be missing for [`SEEN_WITHIN`].
    async fn order(&self, organization: OrganizationId, order: OrderId) -> StoreResult<Option<Arc<OrderDetail>>>;

    /// Keeps an order that was made just now, before anybody can have changed it.
    fn keep(&self, detail: OrderDetail);

    /// Forgets an order, because it changed.
    fn forget(&self, organization: OrganizationId, order: OrderId);

    /// Forgets every order: some may have changed unheard.
    fn forget_all(&self);
}

/// The order as its buyer sees it.
///
/// # Errors
/// `not_found`.
pub async fn view_order(platform: &Platform, organization: OrganizationId, order: OrderId) -> Result<Arc<OrderDetail>> {
    platform.order_views.order(organization, order).await?.ok_or_else(|| Refusal::not_found().into())
}
