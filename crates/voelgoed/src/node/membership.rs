//! Registers this node under a lease, renews it by heartbeats, gives it up at a stop, and reads the list of live nodes as often.
//!
//! Never: a reason to stop. While the cold tier is unavailable the node continues; its lease lapses, and the next heartbeat restores it.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use voelgoed_app::environment::Environment;
use voelgoed_app::error::StoreResult;
use voelgoed_app::nodes::members::Members;
use voelgoed_app::nodes::ports::{MemberNode, NodeStore};

use crate::wiring::Runtime;

/// Three heartbeats and a little.
const LEASE_TTL: Duration = Duration::from_secs(10);
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(3);
/// Rows of nodes without a heartbeat are deleted after this time.
const DEAD_NODE_TTL: Duration = Duration::from_secs(600);
/// For giving the lease up; without it the lease lapses.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(2);

/// The task's parts.
pub struct Membership {
    node: MemberNode,
    members: Members,
    environment: Arc<dyn Environment>,
    /// None for a single node.
    store: Option<Arc<dyn NodeStore>>,
}

impl Membership {
    /// The membership of `node`.
    pub fn of(runtime: &Runtime, node: MemberNode) -> Self {
        let store = runtime.is_shared.then(|| Arc::clone(&runtime.cold) as Arc<dyn NodeStore>);
        Self { node, members: runtime.members.clone(), environment: runtime.slices.context.environment.clone(), store }
    }

    async fn heartbeat(&self, store: &dyn NodeStore) -> StoreResult<()> {
        let now = self.environment.now();
        store.heartbeat(&self.node, now.plus(LEASE_TTL), now.minus(DEAD_NODE_TTL)).await?;
        self.members.update(store.live_nodes(now).await?, now);
        Ok(())
    }
}

/// Keeps the node registered until `stop`.
pub async fn keep_membership(membership: Membership, stop: CancellationToken) {
    let Some(store) = membership.store.clone() else {
        membership.members.update(vec![membership.node.clone()], membership.environment.now());
        return stop.cancelled().await;
    };
    let mut is_failing = false;
    while !stop.is_cancelled() {
        match membership.heartbeat(&*store).await {
            Ok(()) => is_failing = false,
            Err(fault) => {
                if !std::mem::replace(&mut is_failing, true) {
                    tracing::warn!(%fault, "the node's heartbeat failed; retrying");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(HEARTBEAT_INTERVAL) => {}
        }
    }
    if !matches!(tokio::time::timeout(LEAVE_TIMEOUT, store.leave(membership.node.id)).await, Ok(Ok(()))) {
        tracing::info!("the node could not give its lease up; it will lapse");
    }
}
