//! This node's viewers, told to the others every so often, and theirs learned.
//!
//! Never: a reason to stop or to warn twice; while the warm tier is away a node shows its own viewers.

use std::sync::Arc;

use uuid::Uuid;
use voelgoed_app::nodes::ports::Presence;
use voelgoed_app::nodes::presence::{REPORT_EVERY, exchange};
use voelgoed_hot::fanout::Fanout;

/// Tells and learns for ever.
pub async fn keep(presence: Arc<dyn Presence>, node: Uuid, fanout: Arc<Fanout>) {
    let mut away = false;
    loop {
        match exchange(&presence, node, &*fanout).await {
            Ok(()) => away = false,
            Err(fault) => {
                if !std::mem::replace(&mut away, true) {
                    tracing::warn!(%fault, slice = "ticketing", "viewers of other nodes are not known; trying on");
                }
            }
        }
        tokio::time::sleep(REPORT_EVERY).await;
    }
}
