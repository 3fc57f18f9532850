//! This node's place among the others: announced under a lease, renewed, given up at the end, and the list of all read as often.
//!
//! Never: a reason to stop. Where the cold tier is away the node goes on; its lease lapses, and comes back with the store.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use voelgoed_app::environment::Environment;
use voelgoed_app::error::StoreResult;
use voelgoed_app::nodes::members::Members;
use voelgoed_app::nodes::ports::{Node, NodeStore};

use crate::wiring::Wired;

/// How long a node counts as living after it was last heard: three announcements and a little.
const LEASE: Duration = Duration::from_secs(10);
/// Between two announcements.
const ANNOUNCE_EVERY: Duration = Duration::from_secs(3);
/// Who has not been heard for so long is forgotten.
const REMEMBERED: Duration = Duration::from_secs(600);
/// Giving up the lease may take so long; otherwise it lapses.
const LEAVE: Duration = Duration::from_secs(2);

/// What the task needs.
pub struct Membership {
    node: Node,
    members: Members,
    environment: Arc<dyn Environment>,
    /// None where no other process can be there.
    store: Option<Arc<dyn NodeStore>>,
}

impl Membership {
    /// This node's.
    pub fn of(wired: &Wired, node: Node) -> Self {
        let store = wired.is_shared.then(|| Arc::clone(&wired.cold) as Arc<dyn NodeStore>);
        Self { node, members: wired.members.clone(), environment: wired.platform.environment.clone(), store }
    }

    async fn announce(&self, store: &dyn NodeStore) -> StoreResult<()> {
        let now = self.environment.now();
        store.announce(&self.node, now.plus(LEASE), now.minus(REMEMBERED)).await?;
        self.members.learn(store.living(now).await?, now);
        Ok(())
    }
}

/// Keeps the node announced until `stop`.
pub async fn keep(membership: Membership, stop: CancellationToken) {
    let Some(store) = membership.store.clone() else {
        membership.members.learn(vec![membership.node.clone()], membership.environment.now());
        return stop.cancelled().await;
    };
    let mut away = false;
    while !stop.is_cancelled() {
        match membership.announce(&*store).await {
            Ok(()) => away = false,
            Err(fault) => {
                if !std::mem::replace(&mut away, true) {
                    tracing::warn!(%fault, "the node could not announce itself; trying on");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(ANNOUNCE_EVERY) => {}
        }
    }
    if !matches!(tokio::time::timeout(LEAVE, store.leave(membership.node.id)).await, Ok(Ok(()))) {
        tracing::info!("the node could not say that it leaves; its lease will lapse");
    }
}
