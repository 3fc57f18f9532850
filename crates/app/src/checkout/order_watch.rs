//! Wakes the watchers of an order on this node when the order may have changed; a watcher then reads the order again.
//!
//! Never: a watcher woken for another order; in a sale many orders change while thousands of buyers watch theirs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch::{Receiver, Sender};
use voelgoed_domain::ids::{OrderId, OrganizationId};

type Key = (OrganizationId, OrderId);
/// The watched orders; an order without watchers is removed.
type Watched = Mutex<HashMap<Key, Sender<()>>>;

/// Signals changes of orders to their watchers.
#[derive(Debug, Clone, Default)]
pub struct OrderWatch(Arc<Watched>);

/// A watcher of one order; dropping it ends the watch.
#[derive(Debug)]
pub struct OrderWatcher {
    key: Key,
    /// Dropped first, so that the last watcher of an order is recognised.
    changes: Option<Receiver<()>>,
    watched: Arc<Watched>,
}

impl OrderWatch {
    /// Wakes the watchers of this order.
    pub fn changed(&self, organization: OrganizationId, order: OrderId) {
        if let Some(watchers) = locked(&self.0).get(&(organization, order)) {
            watchers.send_replace(());
        }
    }

    /// Wakes every watcher on this node, after changes may have been missed.
    pub fn resync(&self) {
        locked(&self.0).values().for_each(|watchers| watchers.send_modify(|()| {}));
    }

    /// Watches an order from now on.
    #[must_use]
    pub fn watch(&self, organization: OrganizationId, order: OrderId) -> OrderWatcher {
        let key = (organization, order);
        let changes = locked(&self.0).entry(key).or_insert_with(|| Sender::new(())).subscribe();
        OrderWatcher { key, changes: Some(changes), watched: Arc::clone(&self.0) }
    }
}

impl OrderWatcher {
    /// Waits until the order may have changed since the last call.
    pub async fn changed(&mut self) {
        if let Some(changes) = &mut self.changes {
            // The sender lives as long as this watcher.
            let _watched = changes.changed().await;
        }
    }
}

impl Drop for OrderWatcher {
    fn drop(&mut self) {
        let mut watched = locked(&self.watched);
        self.changes = None;
        if watched.get(&self.key).is_some_and(|watchers| watchers.receiver_count() == 0) {
            watched.remove(&self.key);
        }
    }
}

fn locked(watched: &Watched) -> MutexGuard<'_, HashMap<Key, Sender<()>>> {
    watched.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use uuid::Uuid;

    use super::*;

    fn ids(number: u128) -> Key {
        (OrganizationId::from_uuid(Uuid::from_u128(1)), OrderId::from_uuid(Uuid::from_u128(number)))
    }

    #[test]
    fn watcher_wakes_for_its_own_order_and_for_a_resync() {
        let watch = OrderWatch::default();
        let (mine, other) = (ids(1), ids(2));
        let mut watcher = watch.watch(mine.0, mine.1);
        watch.changed(other.0, other.1);
        assert_eq!(watcher.changed().now_or_never(), None, "another order");
        watch.changed(mine.0, mine.1);
        watch.changed(mine.0, mine.1);
        assert_eq!(watcher.changed().now_or_never(), Some(()), "two changes, one wakeup");
        assert_eq!(watcher.changed().now_or_never(), None);
        watch.resync();
        assert_eq!(watcher.changed().now_or_never(), Some(()));
    }

    #[test]
    fn order_without_watchers_is_removed() {
        let watch = OrderWatch::default();
        let (organization, order) = ids(1);
        let (one, mut two) = (watch.watch(organization, order), watch.watch(organization, order));
        drop(one);
        watch.changed(organization, order);
        assert_eq!(two.changed().now_or_never(), Some(()), "the second watcher still watches");
        drop(two);
        assert!(locked(&watch.0).is_empty());
    }
}
