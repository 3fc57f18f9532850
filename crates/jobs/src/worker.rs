//! A queue's loop: lease what is due for the workers that are free, start it, wait for a reason to look again; at the end, drain.
//!
//! Never: more jobs leased than workers are free (a leased job that waits only loses its lease), a job left running after the drain.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use voelgoed_app::jobs::ports::Queue;

use crate::attempt::Attempt;
use crate::runner::{Health, Runner, listening};

/// Works on `queue` until `stop`, then drains.
pub(crate) async fn work(runner: Arc<Runner>, queue: Queue, stop: &CancellationToken) {
    let give_back = CancellationToken::new();
    let mut running = JoinSet::new();
    let mut health = Health::of(queue.as_str());
    while !stop.is_cancelled() {
        let (written, heard) = listening(|| runner.store.written());
        let free = runner.settings.workers(queue).saturating_sub(running.len());
        if free > 0 {
            lease(&runner, queue, free, &mut health, stop, &give_back, &mut running).await;
        }
        let is_full = running.len() >= runner.settings.workers(queue);
        tokio::select! {
            () = stop.cancelled() => {}
            Some(_) = running.join_next() => while running.try_join_next().is_some() {},
            () = written, if !heard && !is_full => {}
            () = tokio::time::sleep(runner.settings.poll_every) => {}
        }
    }
    drain(&runner, queue, &give_back, running).await;
}

async fn lease(
    runner: &Arc<Runner>,
    queue: Queue,
    free: usize,
    health: &mut Health,
    stop: &CancellationToken,
    give_back: &CancellationToken,
    running: &mut JoinSet<()>,
) {
    let most = u32::try_from(free).unwrap_or(u32::MAX);
    let now = runner.environment.now();
    let kinds: Vec<&'static str> = runner.registry.kinds().collect();
    let leased = runner.store.lease(queue, &kinds, most, now, runner.settings.lease).await;
    for job in health.note(leased).unwrap_or_default() {
        let attempt = Attempt {
            runner: Arc::clone(runner),
            leased_until: now.plus(runner.settings.lease),
            job,
            stopping: stop.clone(),
            give_back: give_back.clone(),
        };
        // Tasks of this set end with it; a panic was caught inside.
        running.spawn(attempt.run());
    }
}

async fn drain(runner: &Runner, queue: Queue, give_back: &CancellationToken, mut running: JoinSet<()>) {
    let all_done = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(runner.settings.drain, all_done).await.is_ok() {
        return;
    }
    tracing::warn!(
        queue = queue.as_str(),
        jobs = running.len(),
        "jobs still run at the end of the drain; giving them back"
    );
    give_back.cancel();
    // Giving back is one short commit each; whoever cannot do it in this time leaves it to the end of the lease.
    let given_back = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(runner.settings.end_pause * runner.settings.end_tries, given_back).await.is_err() {
        running.shutdown().await;
    }
}
