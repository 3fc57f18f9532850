//! Who watches which order on this node: a signal that it changed, never its content (the watcher reads it anew).

use tokio::sync::broadcast;
use voelgoed_domain::ids::{OrderId, OrganizationId};

/// Signals kept for slow watchers; one that lags re-reads its order.
const SIGNALS_KEPT: usize = 1024;

/// Signals that orders changed.
#[derive(Debug, Clone)]
pub struct OrderWatch(broadcast::Sender<(OrganizationId, OrderId)>);

impl Default for OrderWatch {
    fn default() -> Self {
        Self(broadcast::channel(SIGNALS_KEPT).0)
    }
}

impl OrderWatch {
    /// Tells every watcher on this node.
    pub fn changed(&self, organization: OrganizationId, order: OrderId) {
        // Nobody watching is the usual case.
        let _unwatched = self.0.send((organization, order));
    }

    /// Watches all orders of this node; the caller picks its own.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<(OrganizationId, OrderId)> {
        self.0.subscribe()
    }
}
