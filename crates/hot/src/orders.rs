//! Orders that wait for their payment, kept for a second and until they change: whoever reloads the page while paying asks this node's memory (P11).
//!
//! Never: an order that this node was told has changed, one with tickets (a gate changes those), nor one for a decision.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use voelgoed_app::checkout::ports::{OrderDetail, OrderStore};
use voelgoed_app::checkout::view_order::OrderViews;
use voelgoed_app::environment::Environment;
use voelgoed_app::error::{Fault, Stored};
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{OrderId, OrganizationId};

use crate::cache::{Cache, CacheLimits};

/// A change that this node was not told of is seen after so long.
pub const FRESH: Duration = Duration::from_secs(1);
/// The most orders kept.
const ENTRIES: usize = 10_000;

/// Orders out of the cold tier, cached.
pub struct CachedOrders {
    store: Arc<dyn OrderStore>,
    orders: Cache<(OrganizationId, OrderId), Option<Arc<OrderDetail>>>,
}

impl CachedOrders {
    /// An empty cache in front of `store`.
    #[must_use]
    pub fn new(store: Arc<dyn OrderStore>, environment: &Arc<dyn Environment>) -> Self {
        let limits = CacheLimits { name: "orders", entries: ENTRIES, fresh: FRESH, usable: FRESH };
        Self { store, orders: Cache::new(Arc::clone(environment), limits) }
    }
}

#[async_trait]
impl OrderViews for CachedOrders {
    async fn order(&self, organization: OrganizationId, order: OrderId) -> Stored<Option<Arc<OrderDetail>>> {
        let read = async { Ok::<_, Fault>(self.store.read_order(organization, order).await?.map(Arc::new)) };
        let found = self.orders.get(&(organization, order), read).await?;
        if found.as_ref().is_some_and(|detail| detail.order.state != OrderState::AwaitingPayment) {
            self.forget(organization, order);
        }
        Ok(found)
    }

    fn forget(&self, organization: OrganizationId, order: OrderId) {
        self.orders.forget(&(organization, order));
    }

    fn forget_all(&self) {
        self.orders.clear();
    }
}
