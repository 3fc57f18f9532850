//! Describes the loops of slices: which nodes run a loop, and how the loop ends when its node stops.
//!
//! Several nodes may run a loop at once, so each round is idempotent or leases its rows. Never: a loop that ends by itself; the node stops then.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Which nodes run a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoopNodes {
    /// Every node.
    All,
    /// Nodes whose role includes background work.
    Workers,
}

/// The node that runs a loop.
#[derive(Debug, Clone)]
pub struct LoopContext {
    /// The id of the node, new at each start.
    pub node: Uuid,
    /// Cancelled when the node stops.
    pub stop: CancellationToken,
}

type LoopFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A loop of a slice.
pub struct Loop {
    /// The nodes that run it.
    pub nodes: LoopNodes,
    start: Box<dyn FnOnce(LoopContext) -> LoopFuture + Send>,
}

impl Loop {
    /// A loop that ends by itself once the node stops.
    pub fn new<F>(nodes: LoopNodes, start: impl FnOnce(LoopContext) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self { nodes, start: Box::new(|context| Box::pin(start(context))) }
    }

    /// A loop that is dropped when the node stops.
    pub fn dropped_at_stop<F>(nodes: LoopNodes, start: impl FnOnce(Uuid) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::new(nodes, |LoopContext { node, stop }| {
            let work = start(node);
            async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = work => {}
                }
            }
        })
    }

    /// Runs `round` after each `interval`; a round that has begun is dropped when the node stops.
    pub fn every<F>(interval: Duration, nodes: LoopNodes, round: impl Fn(Uuid) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::dropped_at_stop(nodes, move |node| async move {
            loop {
                tokio::time::sleep(interval).await;
                round(node).await;
            }
        })
    }

    /// Runs the loop until the node stops.
    pub fn run(self, context: LoopContext) -> impl Future<Output = ()> + Send + 'static {
        (self.start)(context)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn rounds_follow_each_interval_and_end_when_the_node_stops() {
        let rounds = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&rounds);
        let every = Loop::every(Duration::from_secs(2), LoopNodes::All, move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            async {}
        });
        let stop = CancellationToken::new();
        let context = LoopContext { node: Uuid::nil(), stop: stop.clone() };
        let stop_after = async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            stop.cancel();
        };
        tokio::join!(every.run(context), stop_after);
        assert_eq!(rounds.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn round_in_progress_is_dropped_when_the_node_stops() {
        let stop = CancellationToken::new();
        let context = LoopContext { node: Uuid::nil(), stop: stop.clone() };
        let stuck = Loop::dropped_at_stop(LoopNodes::All, |_| std::future::pending());
        stop.cancel();
        stuck.run(context).await;
    }
}
