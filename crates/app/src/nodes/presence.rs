//! Reports this node's viewers of each event to the warm tier and applies the counts of the other nodes.
//!
//! Never: a decision about a sale by these counts. The count of a dead node expires with its report.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::ports::Presence;
use crate::error::StoreResult;
use crate::ticketing::ports::EventScope;

/// The time between two reports of a node.
pub const REPORT_INTERVAL: Duration = Duration::from_secs(3);
/// The life of a report: a little more than three intervals.
pub const REPORT_TTL: Duration = Duration::from_secs(10);

/// Counts the viewers on this node and keeps the counts of the others; the realtime fan-out implements it.
pub trait ViewerCounts: Send + Sync + 'static {
    /// The events in use on this node with their local viewers.
    fn local_viewers(&self) -> Vec<(EventScope, u32)>;

    /// Sets the viewers of an event on all other nodes.
    fn set_remote_viewers(&self, scope: EventScope, viewers: u64);
}

/// Reports the local viewers of every event and applies the counts of the other nodes. A fault of one event does not stop the others; the first is returned.
///
/// # Errors
/// The warm tier's fault; counts that could not be read again expire at the receiver.
pub async fn exchange_viewer_counts(
    presence: &Arc<dyn Presence>,
    node: Uuid,
    counts: &dyn ViewerCounts,
) -> StoreResult<()> {
    let mut first = Ok(());
    for (scope, own) in counts.local_viewers() {
        match presence.report(scope, node, own, REPORT_TTL).await {
            Ok(all) => counts.set_remote_viewers(scope, all.saturating_sub(u64::from(own))),
            Err(fault) => first = first.and(Err(fault)),
        }
    }
    first
}
