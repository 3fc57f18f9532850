//! Subscribes to a store's write notifications before the store is polled, so that a notification between poll and wait is not lost.

use futures::FutureExt;

/// A future that completes at the next notification, and whether every subscription completes at once. Call it before polling the store. A notification from
/// before the call is consumed, because the poll that follows sees the change that it was for.
pub(crate) fn wakeup<F: Future<Output = ()> + Unpin>(subscribe: impl Fn() -> F) -> (F, bool) {
    let mut notified = subscribe();
    if (&mut notified).now_or_never().is_some() {
        notified = subscribe();
        let completes_always = (&mut notified).now_or_never().is_some();
        return (notified, completes_always);
    }
    (notified, false)
}
