//! Shows unpaid orders to their buyers from a cache on this node, so that thousands of polling buyers do not slow the sale down (P11).
//!
//! A view is at most [`ORDER_VIEW_AGE_MAX`] old. Never: a decision by a view; a view for the organizer, who reads cold.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_domain::refusal::Refusal;

use super::Checkout;
use super::ports::OrderDetail;
use crate::error::{CommandResult, StoreResult};

/// The highest age of a view whose invalidation was lost.
pub const ORDER_VIEW_AGE_MAX: Duration = Duration::from_secs(1);

/// The node's cache of unpaid orders.
#[async_trait]
pub trait OrderViews: Send + Sync + 'static {
    /// The order with its lines, payments, refunds and tickets, at most [`ORDER_VIEW_AGE_MAX`] old.
    async fn order(&self, organization: OrganizationId, order: OrderId) -> StoreResult<Option<Arc<OrderDetail>>>;

    /// Caches an order that this node has just written, before it can have changed.
    fn insert(&self, detail: OrderDetail);

    /// Drops an order that has changed.
    fn invalidate(&self, organization: OrganizationId, order: OrderId);

    /// Drops all orders, after invalidations may have been lost.
    fn invalidate_all(&self);
}

impl Checkout {
    /// The buyer's view of the order.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn view_order(&self, organization: OrganizationId, order: OrderId) -> CommandResult<Arc<OrderDetail>> {
        self.views.order(organization, order).await?.ok_or_else(|| Refusal::not_found().into())
    }
}
