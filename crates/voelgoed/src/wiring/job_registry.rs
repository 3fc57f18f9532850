//! Registers the job handlers of all slices, and the job that deletes old rows with its schedule.

use std::sync::Arc;

use voelgoed_app::jobs::handler::JobHandler;
use voelgoed_app::retention::RetentionPruner;
use voelgoed_jobs::{Registry, WiringError};

use super::Runtime;

/// Every handler and schedule.
pub fn registry(runtime: &Runtime) -> Result<Registry, WiringError> {
    let mut handlers: Vec<Arc<dyn JobHandler>> =
        runtime.slices.all().into_iter().flat_map(|slice| slice.jobs()).collect();
    handlers.push(Arc::new(retention_pruner(runtime)));
    Registry::new(handlers, vec![RetentionPruner::schedule()])
}

/// Deletes rows past their retention period.
fn retention_pruner(runtime: &Runtime) -> RetentionPruner {
    RetentionPruner {
        environment: Arc::clone(&runtime.slices.context.environment),
        store: runtime.cold.clone(),
        periods: runtime.retention,
        classes: runtime.slices.retention_classes(),
    }
}
