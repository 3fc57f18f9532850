//! Runs a worker loop per queue, the schedules and the gauges until it is stopped, then drains.
//!
//! Never: one queue's jobs on another queue's workers (P9). To add a queue: `Queue` in `app` and its number of workers in the settings.

use std::sync::Arc;

use futures::future::join_all;
use tokio_util::sync::CancellationToken;
use voelgoed_app::environment::Environment;
use voelgoed_app::error::StoreResult;
use voelgoed_app::jobs::ports::{JobStore, Queue};
use voelgoed_telemetry::metrics::jobs::{JobState, jobs_stored, jobs_unreadable};

use crate::alarm_interval::{ALARM_GRACE, Alarm, UNREADABLE_LISTED_MAX};
use crate::registry::Registry;
use crate::run_schedules::run_schedules;
use crate::runner_context::RunnerContext;
use crate::settings::RunnerSettings;
use crate::store_availability::StoreAvailability;
use crate::worker;

/// Runs the jobs of a store. Any number of runners may share one store.
pub struct Runner {
    context: Arc<RunnerContext>,
}

impl Runner {
    /// A runner over `store` with these handlers and schedules.
    #[must_use]
    pub fn new(
        store: Arc<dyn JobStore>,
        environment: Arc<dyn Environment>,
        registry: Registry,
        settings: RunnerSettings,
    ) -> Self {
        Self { context: Arc::new(RunnerContext { store, environment, registry, settings }) }
    }

    /// Runs until `stop` is cancelled; then leases nothing more, waits for running jobs, and gives the others back.
    pub async fn run(self, stop: CancellationToken) {
        let Self { context } = self;
        let queues = join_all(Queue::ALL.iter().map(|queue| worker::run_queue(Arc::clone(&context), *queue, &stop)));
        tokio::join!(queues, run_schedules(&context, &stop), update_gauges(&context, &stop));
    }
}

async fn update_gauges(context: &RunnerContext, stop: &CancellationToken) {
    let mut availability = StoreAvailability::new("job gauges");
    let mut alarm = Alarm::default();
    while !stop.is_cancelled() {
        for queue in Queue::ALL {
            availability.note(update_depth(context, *queue).await);
        }
        availability.note(report_unreadable(context, &mut alarm).await);
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(context.settings.gauge_interval) => {}
        }
    }
}

async fn update_depth(context: &RunnerContext, queue: Queue) -> StoreResult<()> {
    let depth = context.store.depth(queue, context.environment.now()).await?;
    let name = queue.as_str();
    jobs_stored(name, JobState::Ready, depth.ready);
    jobs_stored(name, JobState::Leased, depth.leased);
    jobs_stored(name, JobState::Scheduled, depth.scheduled);
    jobs_stored(name, JobState::Dead, depth.dead);
    Ok(())
}

/// Counts the jobs that this program cannot run, and raises the alarm for them.
async fn report_unreadable(context: &RunnerContext, alarm: &mut Alarm) -> StoreResult<()> {
    let now = context.environment.now();
    let kinds: Vec<&'static str> = context.registry.kinds().collect();
    let jobs = context.store.unreadable(&kinds, now.minus(ALARM_GRACE), UNREADABLE_LISTED_MAX).await?;
    jobs_unreadable(jobs.len() as u64);
    if let Some(first) = jobs.first()
        && alarm.is_due(now)
    {
        tracing::error!(
            job = %first.id, kind = first.kind, reason = first.reason, jobs = jobs.len(),
            "jobs wait for a node that can read them; see docs/runbooks/upgrade.md"
        );
    }
    Ok(())
}
