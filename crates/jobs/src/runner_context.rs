//! Holds the store, clock, handlers and limits that a runner shares with its queues, schedules and job attempts.

use std::sync::Arc;

use voelgoed_app::environment::Environment;
use voelgoed_app::jobs::ports::JobStore;

use crate::registry::Registry;
use crate::settings::RunnerSettings;

/// What every task of one runner uses.
pub(crate) struct RunnerContext {
    pub(crate) store: Arc<dyn JobStore>,
    pub(crate) environment: Arc<dyn Environment>,
    pub(crate) registry: Registry,
    pub(crate) settings: RunnerSettings,
}
