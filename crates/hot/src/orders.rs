//! Caches unpaid orders for a second, so that reloads of the payment page are served from this node's memory (P11).
//!
//! Never: an order after a change was reported to this node, an order with tickets (scans change those), an order as the basis of a decision.

use std::sync::Arc;

use async_trait::async_trait;
use voelgoed_app::checkout::ports::{OrderDetail, OrderStore};
use voelgoed_app::checkout::view_order::{ORDER_VIEW_AGE_MAX, OrderViews};
use voelgoed_app::environment::Environment;
use voelgoed_app::error::{Fault, StoreResult};
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{OrderId, OrganizationId};

use crate::cache::{Cache, CacheLimits};

/// Orders in the cache.
const ENTRIES_MAX: usize = 10_000;

type Found = Option<Arc<OrderDetail>>;

/// A cache in front of [`OrderStore`].
pub struct CachedOrders {
    store: Arc<dyn OrderStore>,
    orders: Cache<(OrganizationId, OrderId), Found>,
}

impl CachedOrders {
    /// An empty cache in front of `store`.
    #[must_use]
    pub fn new(store: Arc<dyn OrderStore>, environment: &Arc<dyn Environment>) -> Self {
        let limits = CacheLimits {
            name: "orders",
            entries_max: ENTRIES_MAX,
            fresh_for: ORDER_VIEW_AGE_MAX,
            usable_for: ORDER_VIEW_AGE_MAX,
        };
        let is_unpaid = |found: &Found| found.as_ref().is_some_and(|it| it.order.state == OrderState::AwaitingPayment);
        Self { store, orders: Cache::with_filter(Arc::clone(environment), limits, is_unpaid) }
    }
}

#[async_trait]
impl OrderViews for CachedOrders {
    async fn order(&self, organization: OrganizationId, order: OrderId) -> StoreResult<Found> {
        let read = async { Ok::<_, Fault>(self.store.read_order(organization, order).await?.map(Arc::new)) };
        self.orders.get(&(organization, order), read).await
    }

    fn insert(&self, detail: OrderDetail) {
        let key = (detail.order.organization, detail.order.id);
        self.orders.put(&key, &Some(Arc::new(detail)));
    }

    fn invalidate(&self, organization: OrganizationId, order: OrderId) {
        self.orders.remove(&(organization, order));
    }

    fn invalidate_all(&self) {
        self.orders.invalidate(|_, _| true);
    }
}
