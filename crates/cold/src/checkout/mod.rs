//! Implements the order store: places, reads, lists, cancels and closes orders, and reads their tickets.
//!
//! An order and its claimed places are written in one commit (P1, P2). To add an operation: its file here, and its line in the port below.

mod close_unpaid;
pub(crate) mod free_places;
mod list_orders;
pub(crate) mod order_row;
mod overdue;
pub(crate) mod place_order;
mod read_order;
mod request_cancellation;
pub(crate) mod sale_counts;
pub(crate) mod tickets;

use std::collections::BTreeMap;

use async_trait::async_trait;
use voelgoed_app::checkout::ports::{NewOrder, Order, OrderDetail, OrderStore, OverdueOrder, Ticket};
use voelgoed_app::error::StoreResult;
use voelgoed_app::idempotency::Created;
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{EventId, HoldId, OrderId, OrganizationId, SessionId, TicketId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use crate::Cold;

#[async_trait]
impl OrderStore for Cold {
    async fn place_order(
        &self,
        organization: OrganizationId,
        order: NewOrder,
    ) -> StoreResult<Result<Created<()>, Refusal>> {
        place_order::place_order(self, organization, order).await
    }

    async fn read_order(&self, organization: OrganizationId, order: OrderId) -> StoreResult<Option<OrderDetail>> {
        Ok(read_order::read_order(&self.display, organization, order).await?)
    }

    async fn order_of_hold(&self, organization: OrganizationId, hold: HoldId) -> StoreResult<Option<OrderId>> {
        Ok(list_orders::order_of_hold(&self.display, organization, hold).await?)
    }

    async fn counts(
        &self,
        organization: OrganizationId,
        event: EventId,
        keys: Vec<String>,
    ) -> StoreResult<BTreeMap<String, u64>> {
        Ok(sale_counts::read(&self.display, organization, event, keys).await?)
    }

    async fn orders_of_session(&self, session: SessionId, limit: u32) -> StoreResult<Vec<Order>> {
        Ok(list_orders::of_session(&self.display, session, limit).await?)
    }

    async fn orders(
        &self,
        organization: OrganizationId,
        event: Option<EventId>,
        page: PageRequest,
    ) -> StoreResult<Page<Order>> {
        Ok(list_orders::orders(&self.reports, organization, event, page).await?)
    }

    async fn read_ticket(&self, organization: OrganizationId, ticket: TicketId) -> StoreResult<Option<Ticket>> {
        Ok(tickets::read(&self.display, organization, ticket).await?)
    }

    async fn overdue(
        &self,
        before: Timestamp,
        after: Option<OverdueOrder>,
        limit: u32,
    ) -> StoreResult<Vec<OverdueOrder>> {
        Ok(overdue::overdue(&self.sale, before, after, limit).await?)
    }

    async fn close_unpaid(
        &self,
        organization: OrganizationId,
        order: OrderId,
        to: OrderState,
        now: Timestamp,
    ) -> StoreResult<Result<(), Refusal>> {
        Ok(close_unpaid::close_unpaid(self, organization, order, to, now).await?)
    }

    async fn request_cancellation(
        &self,
        organization: OrganizationId,
        order: OrderId,
        now: Timestamp,
    ) -> StoreResult<Result<(), Refusal>> {
        Ok(request_cancellation::request_cancellation(self, organization, order, now).await?)
    }
}
