//! Enqueues scheduled jobs: the runner that claims an occurrence in the store enqueues its job, and the other runners skip it.
//!
//! Never: an occurrence twice, or a missed occurrence made up for.

use tokio_util::sync::CancellationToken;
use voelgoed_app::error::StoreResult;

use crate::runner_context::RunnerContext;
use crate::store_availability::StoreAvailability;

/// Claims occurrences until `stop`.
pub(crate) async fn run_schedules(context: &RunnerContext, stop: &CancellationToken) {
    let mut availability = StoreAvailability::new("schedules");
    while !stop.is_cancelled() {
        availability.note(claim_all(context).await);
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(context.settings.poll_interval) => {}
        }
    }
}

async fn claim_all(context: &RunnerContext) -> StoreResult<()> {
    for schedule in context.registry.schedules() {
        let now = context.environment.now();
        if context.store.claim_schedule(schedule.name, schedule.period, now).await? {
            context.store.enqueue(vec![schedule.job(&*context.environment, now)]).await?;
        }
    }
    Ok(())
}
