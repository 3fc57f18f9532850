//! Holds the store, clock, handlers and limits that a runner shares with its queues, schedules and job attempts.

use std::sync::Arc;

use voelgoed_app::environment::Environment;
use voelgoed_app::jobs::ports::JobStore;

use crate::registry::Registry;
use crate::settings::RunnerSettings;

/// The parts that all tasks of one runner share.
pub(crate) struct RunnerContext {
    pub(crate) store: Arc<dyn JobStore>,
    pub(crate) environment: Arc<dyn Environment>,
    pub(crate) registry: Registry,
    pub(crate) settings: RunnerSettings,
}
