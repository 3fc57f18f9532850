//! Puts faults and refusals in front of the commit of orders.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use voelgoed_app::checkout::ports::{NewOrder, Order, OrderDetail, OrderStore, OverdueOrder, Ticket};
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::idempotency::Created;
use voelgoed_app::page::{Page, PageRequest};
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{EventId, HoldId, OrderId, OrganizationId, SessionId, TicketId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::time::Timestamp;

/// How a commit of an order ends instead of reaching cold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderFault {
    /// Cold refuses all of its places.
    PlacesTaken,
    /// Cold refuses it for another reason.
    Refused(Code),
    /// The answer of cold is lost.
    Ambiguous,
}

/// An order store whose next commits end as the test says.
pub struct FaultyOrders {
    pub inner: Arc<dyn OrderStore>,
    pub faults: Mutex<VecDeque<OrderFault>>,
}

impl FaultyOrders {
    pub fn new(inner: Arc<dyn OrderStore>, faults: impl IntoIterator<Item = OrderFault>) -> Arc<Self> {
        Arc::new(Self { inner, faults: Mutex::new(faults.into_iter().collect()) })
    }
}

#[async_trait]
impl OrderStore for FaultyOrders {
    async fn place_order(
        &self,
        organization: OrganizationId,
        order: NewOrder,
    ) -> StoreResult<Result<Created<()>, Refusal>> {
        let fault = self.faults.lock().unwrap().pop_front();
        match fault {
            None => self.inner.place_order(organization, order).await,
            Some(OrderFault::PlacesTaken) => {
                Ok(Err(Refusal::place_taken(order.lines.iter().map(|line| line.place).collect())))
            }
            Some(OrderFault::Refused(code)) => Ok(Err(Refusal::new(code, "refused"))),
            Some(OrderFault::Ambiguous) => {
                Err(Fault::Ambiguous { dependency: Dependency::Cold, detail: "no answer".into() })
            }
        }
    }

    async fn read_order(&self, organization: OrganizationId, order: OrderId) -> StoreResult<Option<OrderDetail>> {
        self.inner.read_order(organization, order).await
    }

    async fn order_of_hold(&self, organization: OrganizationId, hold: HoldId) -> StoreResult<Option<OrderId>> {
        self.inner.order_of_hold(organization, hold).await
    }

    async fn counts(
        &self,
        organization: OrganizationId,
        event: EventId,
        keys: Vec<String>,
    ) -> StoreResult<BTreeMap<String, u64>> {
        self.inner.counts(organization, event, keys).await
    }

    async fn orders_of_session(&self, session: SessionId, limit: u32) -> StoreResult<Vec<Order>> {
        self.inner.orders_of_session(session, limit).await
    }

    async fn orders(
        &self,
        organization: OrganizationId,
        event: Option<EventId>,
        page: PageRequest,
    ) -> StoreResult<Page<Order>> {
        self.inner.orders(organization, event, page).await
    }

    async fn read_ticket(&self, organization: OrganizationId, ticket: TicketId) -> StoreResult<Option<Ticket>> {
        self.inner.read_ticket(organization, ticket).await
    }

    async fn overdue(
        &self,
        before: Timestamp,
        after: Option<OverdueOrder>,
        limit: u32,
    ) -> StoreResult<Vec<OverdueOrder>> {
        self.inner.overdue(before, after, limit).await
    }

    async fn close_unpaid(
        &self,
        organization: OrganizationId,
        order: OrderId,
        to: OrderState,
        now: Timestamp,
    ) -> StoreResult<Result<(), Refusal>> {
        self.inner.close_unpaid(organization, order, to, now).await
    }

    async fn request_cancellation(
        &self,
        organization: OrganizationId,
        order: OrderId,
        now: Timestamp,
    ) -> StoreResult<Result<(), Refusal>> {
        self.inner.request_cancellation(organization, order, now).await
    }
}
