//! How many watch an event, on all nodes together.
//!
//! Never: a decision about a sale. Each node tells its own count every so often; the count of a node that died goes with its lease.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::ports::Presence;
use crate::error::StoreResult;
use crate::ticketing::ports::EventScope;

/// Between two reports of a node.
pub const REPORT_EVERY: Duration = Duration::from_secs(3);
/// A node that has not reported for so long has no viewers: three reports and a little.
pub const COUNTS_FOR: Duration = Duration::from_secs(10);

/// Where a node's viewers are counted, and where it learns of others'.
pub trait Audience: Send + Sync + 'static {
    /// The events in use on this node, with its own viewers.
    fn own(&self) -> Vec<(EventScope, u32)>;

    /// Takes in how many watch an event on the other nodes.
    fn learn(&self, scope: EventScope, elsewhere: u64);
}

/// Tells this node's counts and learns the others'. Every event is told; the first fault is returned.
///
/// # Errors
/// The warm tier's fault; what could not be learned anew grows old where it was learned.
pub async fn exchange(presence: &Arc<dyn Presence>, node: Uuid, audience: &dyn Audience) -> StoreResult<()> {
    let mut first = Ok(());
    for (scope, own) in audience.own() {
        match presence.report(scope, node, own, COUNTS_FOR).await {
            Ok(all) => audience.learn(scope, all.saturating_sub(u64::from(own))),
            Err(fault) => first = first.and(Err(fault)),
        }
    }
    first
}
