//! Implements payments' ports [`PayableOrders`] over the order store and [`OrderUpdates`] over the cache of order views.

use async_trait::async_trait;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use super::ports::{OrderDetail, OrderStore, OverdueOrder};
use super::view_order::OrderViews;
use crate::error::StoreResult;
use crate::payments::order_ports::{OrderUpdates, PayableOrders};

#[async_trait]
impl<S: OrderStore> PayableOrders for S {
    async fn find(&self, organization: OrganizationId, order: OrderId) -> StoreResult<Option<OrderDetail>> {
        self.read_order(organization, order).await
    }

    async fn overdue(
        &self,
        before: Timestamp,
        after: Option<OverdueOrder>,
        limit: u32,
    ) -> StoreResult<Vec<OverdueOrder>> {
        OrderStore::overdue(self, before, after, limit).await
    }

    async fn close_unpaid(
        &self,
        organization: OrganizationId,
        order: OrderId,
        to: OrderState,
        now: Timestamp,
    ) -> StoreResult<Result<(), Refusal>> {
        OrderStore::close_unpaid(self, organization, order, to, now).await
    }
}

impl<V: OrderViews> OrderUpdates for V {
    fn order_changed(&self, organization: OrganizationId, order: OrderId) {
        self.invalidate(organization, order);
    }
}
