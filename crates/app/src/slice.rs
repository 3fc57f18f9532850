//! Declares what a slice runs beside requests: consumers of outbox events, job handlers, loops and classes of rows to delete.
//!
//! A node starts the list of [`crate::slices::Slices::all`] and names no slice. To add a slice: docs/how-to/add-a-slice.md.

use std::sync::Arc;

use crate::jobs::handler::JobHandler;
use crate::loops::Loop;
use crate::outbox::consumer::OutboxConsumer;
use crate::retention::class::RetentionClass;

/// A slice as a node starts it; the default is a slice that serves requests only.
pub trait Slice: Send + Sync + 'static {
    /// The slice's name in logs, spans and metrics.
    fn name(&self) -> &'static str;

    /// Consumers that one relay of the cluster calls for each row, before the consumers of nodes.
    fn consumers(&self) -> Vec<Arc<dyn OutboxConsumer>> {
        Vec::new()
    }

    /// Consumers that every node calls, by its relay or by the cluster bus: they update the memory of the node and never fail.
    fn node_consumers(&self) -> Vec<Arc<dyn OutboxConsumer>> {
        Vec::new()
    }

    /// Reads again what messages of the cluster bus that this node missed may have changed.
    fn resync(&self) {}

    /// Handlers of the slice's durable jobs.
    fn jobs(self: Arc<Self>) -> Vec<Arc<dyn JobHandler>> {
        Vec::new()
    }

    /// Loops that run until the node stops.
    fn loops(self: Arc<Self>) -> Vec<Loop> {
        Vec::new()
    }

    /// Classes of rows that are deleted at some age.
    fn retention(&self) -> Vec<RetentionClass> {
        Vec::new()
    }
}
