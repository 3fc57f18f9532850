//! Orders that wait for their payment, kept for a second and until they change: whoever reloads the page while paying asks this node's memory (P11).
//!
//! Never: an order that this node was told has changed, one with tickets (a gate changes those), nor one for a decision.

use std::sync::Arc;

use async_trait::async_trait;
use voelgoed_app::checkout::ports::{OrderDetail, OrderStore};
use voelgoed_app::checkout::view_order::{OrderViews, SEEN_WITHIN};
use voelgoed_app::environment::Environment;
use voelgoed_app::error::{Fault, StoreResult};
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{OrderId, OrganizationId};

use crate::cache::{Cache, CacheLimits};

/// The most orders kept.
const ENTRIES: usize = 10_000;

type Found = Option<Arc<OrderDetail>>;

/// Orders out of the cold tier, cached.
pub struct CachedOrders {
    store: Arc<dyn OrderStore>,
    orders: Cache<(OrganizationId, OrderId), Found>,
}

impl CachedOrders {
    /// An empty cache in front of `store`.
    #[must_use]
    pub fn new(store: Arc<dyn OrderStore>, environment: &Arc<dyn Environment>) -> Self {
        let limits = CacheLimits { name: "orders", entries: ENTRIES, fresh: SEEN_WITHIN, usable: SEEN_WITHIN };
        let waits = |found: &Found| found.as_ref().is_some_and(|it| it.order.state == OrderState::AwaitingPayment);
        Self { store, orders: Cache::of_those(Arc::clone(environment), limits, waits) }
    }
}

#[async_trait]
impl OrderViews for CachedOrders {
    async fn order(&self, organization: OrganizationId, order: OrderId) -> StoreResult<Found> {
        let read = async { Ok::<_, Fault>(self.store.read_order(organization, order).await?.map(Arc::new)) };
        self.orders.get(&(organization, order), read).await
    }

    fn keep(&self, detail: OrderDetail) {
        let key = (detail.order.organization, detail.order.id);
        self.orders.put(&key, &Some(Arc::new(detail)));
    }

    fn forget(&self, organization: OrganizationId, order: OrderId) {
        self.orders.forget(&(organization, order));
    }

    fn forget_all(&self) {
        self.orders.suspect(|_, _| true);
    }
}
