//! Runs one queue: leases due jobs for the free workers, starts them, and waits for a free worker, a notification or the next poll.
//!
//! Never: more jobs leased than workers are free (a leased job that waits would only lose its lease), a job left running after the drain.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use voelgoed_app::jobs::ports::Queue;

use crate::attempt::Attempt;
use crate::runner_context::RunnerContext;
use crate::store_availability::StoreAvailability;
use crate::wakeup::wakeup;

/// Runs the jobs of `queue` until `stop`, then drains.
pub(crate) async fn run_queue(context: Arc<RunnerContext>, queue: Queue, stop: &CancellationToken) {
    let give_back = CancellationToken::new();
    let mut running = JoinSet::new();
    let mut availability = StoreAvailability::new(queue.as_str());
    while !stop.is_cancelled() {
        let (notified, completes_always) = wakeup(|| context.store.written());
        let free = context.settings.workers(queue).saturating_sub(running.len());
        if free > 0 {
            lease(&context, queue, free, &mut availability, stop, &give_back, &mut running).await;
        }
        let is_full = running.len() >= context.settings.workers(queue);
        tokio::select! {
            () = stop.cancelled() => {}
            Some(_) = running.join_next() => while running.try_join_next().is_some() {},
            () = notified, if !completes_always && !is_full => {}
            () = tokio::time::sleep(context.settings.poll_interval) => {}
        }
    }
    drain(&context, queue, &give_back, running).await;
}

async fn lease(
    context: &Arc<RunnerContext>,
    queue: Queue,
    free: usize,
    availability: &mut StoreAvailability,
    stop: &CancellationToken,
    give_back: &CancellationToken,
    running: &mut JoinSet<()>,
) {
    let jobs_max = u32::try_from(free).unwrap_or(u32::MAX);
    let now = context.environment.now();
    let kinds: Vec<&'static str> = context.registry.kinds().collect();
    let leased = context.store.lease(queue, &kinds, jobs_max, now, context.settings.lease).await;
    for job in availability.note(leased).unwrap_or_default() {
        let attempt = Attempt {
            context: Arc::clone(context),
            leased_until: now.plus(context.settings.lease),
            job,
            stopping: stop.clone(),
            give_back: give_back.clone(),
        };
        // The set aborts its tasks when it is dropped; `Attempt::run` catches panics.
        running.spawn(attempt.run());
    }
}

async fn drain(context: &RunnerContext, queue: Queue, give_back: &CancellationToken, mut running: JoinSet<()>) {
    let all_ended = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(context.settings.drain_timeout, all_ended).await.is_ok() {
        return;
    }
    tracing::warn!(
        queue = queue.as_str(),
        jobs = running.len(),
        "jobs still run at the end of the drain; giving them back"
    );
    give_back.cancel();
    // Giving back is one short commit each; a job that cannot be given back in this time waits for its lease to lapse.
    let given_back = async { while running.join_next().await.is_some() {} };
    let timeout = context.settings.end_retry_interval * context.settings.end_attempts_max;
    if tokio::time::timeout(timeout, given_back).await.is_err() {
        running.shutdown().await;
    }
}
