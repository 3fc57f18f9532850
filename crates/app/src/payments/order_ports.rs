//! Declares the ports of checkout that payments calls: reads of orders, overdue orders, and the closing of unpaid orders.
//!
//! Apart from `ports.rs`, because checkout's ports use payments' types.

use async_trait::async_trait;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use crate::checkout::ports::{OrderDetail, OverdueOrder};
use crate::error::{CommandResult, StoreResult};

/// Orders that can be paid; every order store implements it.
#[async_trait]
pub trait PayableOrders: Send + Sync + 'static {
    /// One order with its lines, payments, refunds and tickets.
    async fn find(&self, organization: OrganizationId, order: OrderId) -> StoreResult<Option<OrderDetail>>;
    /// Unpaid orders past `before`, as [`OrderStore::overdue`](crate::checkout::ports::OrderStore::overdue).
    async fn overdue(
        &self,
        before: Timestamp,
        after: Option<OverdueOrder>,
        limit: u32,
    ) -> StoreResult<Vec<OverdueOrder>>;
    /// Closes an unpaid order, as [`OrderStore::close_unpaid`](crate::checkout::ports::OrderStore::close_unpaid).
    async fn close_unpaid(
        &self,
        organization: OrganizationId,
        order: OrderId,
        to: OrderState,
        now: Timestamp,
    ) -> StoreResult<Result<(), Refusal>>;
}

impl dyn PayableOrders {
    /// One order with its lines, payments, refunds and tickets.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn read(&self, organization: OrganizationId, order: OrderId) -> CommandResult<OrderDetail> {
        self.find(organization, order).await?.ok_or_else(|| Refusal::not_found().into())
    }
}

/// Receives changes of orders; the cache of order views implements it.
pub trait OrderUpdates: Send + Sync + 'static {
    /// Drops the cached views of an order.
    fn order_changed(&self, organization: OrganizationId, order: OrderId);
}
