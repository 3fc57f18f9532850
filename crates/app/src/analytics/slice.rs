//! Builds analytics from its ports and declares what it runs beside requests: the loops that move counts from nodes to warm and from warm to cold.

use std::sync::Arc;

use super::Analytics;
use super::collect_counts::COLLECT_INTERVAL;
use super::ports::{AnalyticsStore, CountStream};
use crate::adapters::Adapters;
use crate::loops::{Loop, LoopContext, LoopNodes};
use crate::retention::class::RetentionClass;
use crate::slice::Slice;

/// Step counts, by their minute.
pub const STEP_COUNTS: RetentionClass = RetentionClass { name: "counts", period: |periods| periods.counts };

impl Analytics {
    /// The slice's name.
    pub const NAME: &'static str = "analytics";

    /// Builds the slice.
    #[must_use]
    pub fn new<C: AnalyticsStore, W: CountStream>(adapters: &Adapters<C, W>) -> Self {
        Self {
            context: adapters.node.context.clone(),
            counters: Arc::default(),
            stream: adapters.warm.clone(),
            store: adapters.cold.clone(),
        }
    }

    /// Appends this node's counts to the warm tier, for the last time when the node stops.
    async fn append_until_stop(&self, LoopContext { stop, .. }: LoopContext) {
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(COLLECT_INTERVAL) => {}
            }
            // A warm tier that hangs must not delay the stop of a node.
            if tokio::time::timeout(COLLECT_INTERVAL, self.append_counts()).await.is_err() {
                tracing::debug!(slice = "analytics", "appending counts to the warm tier timed out");
            }
        }
    }
}

impl Slice for Analytics {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn loops(self: Arc<Self>) -> Vec<Loop> {
        let appends = Arc::clone(&self);
        vec![
            Loop::new(LoopNodes::All, |context| async move { appends.append_until_stop(context).await }),
            Loop::every(COLLECT_INTERVAL, LoopNodes::Workers, move |reader| {
                let analytics = Arc::clone(&self);
                async move {
                    if let Err(fault) = analytics.collect_counts(reader).await {
                        tracing::debug!(%fault, slice = "analytics", "counts were not collected; they stay in the warm tier");
                    }
                }
            }),
        ]
    }

    fn retention(&self) -> Vec<RetentionClass> {
        vec![STEP_COUNTS]
    }
}
