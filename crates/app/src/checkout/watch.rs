//! Who watches which order on this node: a signal that it changed, never its content (the watcher reads it anew).

use tokio::sync::broadcast;
use voelgoed_domain::ids::{OrderId, OrganizationId};

/// Signals kept for slow watchers; one that lags re-reads its order.
const SIGNALS_KEPT: usize = 1024;

/// What a watcher hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderSignal {
    /// This order changed.
    Changed(OrganizationId, OrderId),
    /// Signals may have been missed: any order may have changed.
    Missed,
}

/// Signals that orders changed.
#[derive(Debug, Clone)]
pub struct OrderWatch(broadcast::Sender<OrderSignal>);

impl Default for OrderWatch {
    fn default() -> Self {
        Self(broadcast::channel(SIGNALS_KEPT).0)
    }
}

impl OrderWatch {
    /// Tells every watcher on this node.
    pub fn changed(&self, organization: OrganizationId, order: OrderId) {
        // Nobody watching is the usual case.
        let _unwatched = self.0.send(OrderSignal::Changed(organization, order));
    }

    /// Tells every watcher on this node to read its order anew.
    pub fn missed(&self) {
        let _unwatched = self.0.send(OrderSignal::Missed);
    }

    /// Watches all orders of this node; the caller picks its own.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<OrderSignal> {
        self.0.subscribe()
    }
}
