//! Who watches which order on this node: a signal that it changed, never its content (the watcher reads it anew).
//!
//! Never: a watcher woken for another's order; in a sale most orders change while thousands wait for theirs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch::{Receiver, Sender};
use voelgoed_domain::ids::{OrderId, OrganizationId};

type Key = (OrganizationId, OrderId);
/// An order is here while somebody watches it.
type Watched = Mutex<HashMap<Key, Sender<()>>>;

/// Signals that orders changed.
#[derive(Debug, Clone, Default)]
pub struct OrderWatch(Arc<Watched>);

/// One watcher of one order; dropping it is looking away.
#[derive(Debug)]
pub struct OrderWatcher {
    key: Key,
    /// Taken when the watcher goes, so that the last one of an order can be told.
    changes: Option<Receiver<()>>,
    watched: Arc<Watched>,
}

impl OrderWatch {
    /// Tells the watchers of this order.
    pub fn changed(&self, organization: OrganizationId, order: OrderId) {
        if let Some(watchers) = locked(&self.0).get(&(organization, order)) {
            watchers.send_replace(());
        }
    }

    /// Tells every watcher on this node to read its order anew.
    pub fn missed(&self) {
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
    /// Waits until the order may have changed since the last time.
    pub async fn changed(&mut self) {
        if let Some(changes) = &mut self.changes {
            // The sender stays while this watcher does.
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
    fn a_watcher_hears_of_its_own_order_and_of_what_may_have_been_missed() {
        let watch = OrderWatch::default();
        let (mine, other) = (ids(1), ids(2));
        let mut watcher = watch.watch(mine.0, mine.1);
        watch.changed(other.0, other.1);
        assert_eq!(watcher.changed().now_or_never(), None, "somebody else's order");
        watch.changed(mine.0, mine.1);
        watch.changed(mine.0, mine.1);
        assert_eq!(watcher.changed().now_or_never(), Some(()), "once for both");
        assert_eq!(watcher.changed().now_or_never(), None);
        watch.missed();
        assert_eq!(watcher.changed().now_or_never(), Some(()));
    }

    #[test]
    fn nothing_is_kept_of_an_order_that_nobody_watches() {
        let watch = OrderWatch::default();
        let (organization, order) = ids(1);
        let (one, mut two) = (watch.watch(organization, order), watch.watch(organization, order));
        drop(one);
        watch.changed(organization, order);
        assert_eq!(two.changed().now_or_never(), Some(()), "the other one watches on");
        drop(two);
        assert!(locked(&watch.0).is_empty());
    }
}
