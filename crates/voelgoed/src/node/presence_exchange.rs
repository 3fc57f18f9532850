//! Publishes this node's viewer counts in the warm tier and reads those of other nodes, at an interval.
//!
//! Never: a reason to stop, or two warnings for one outage; while warm is unavailable a node shows its own viewers only.

use std::sync::Arc;

use uuid::Uuid;
use voelgoed_app::nodes::ports::Presence;
use voelgoed_app::nodes::presence::{REPORT_INTERVAL, exchange_viewer_counts};
use voelgoed_hot::fanout::Fanout;

/// Exchanges viewer counts until cancelled.
pub async fn exchange_presence(presence: Arc<dyn Presence>, node: Uuid, fanout: Arc<Fanout>) {
    let mut is_failing = false;
    loop {
        match exchange_viewer_counts(&presence, node, &*fanout).await {
            Ok(()) => is_failing = false,
            Err(fault) => {
                if !std::mem::replace(&mut is_failing, true) {
                    tracing::warn!(%fault, slice = "ticketing", "viewers of other nodes are unknown; retrying");
                }
            }
        }
        tokio::time::sleep(REPORT_INTERVAL).await;
    }
}
