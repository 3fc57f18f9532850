//! The runner: a worker loop per queue, the schedules and the gauges, until it is told to stop; then it drains.
//!
//! Never: one queue's jobs on another's workers (P9). To add a queue: `Queue` in `app` and its number of workers in the settings.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::join_all;
use tokio_util::sync::CancellationToken;
use voelgoed_app::environment::Environment;
use voelgoed_app::error::{Fault, StoreResult};
use voelgoed_app::jobs::ports::{JobStore, Queue};
use voelgoed_telemetry::metrics::jobs::{StoreResult as State, jobs_stored, jobs_unreadable};

use crate::alarm::{Alarm, GRACE, LISTED_MAX};
use crate::registry::Registry;
use crate::settings::RunnerSettings;
use crate::{schedule, worker};

/// Runs the jobs of a store. Any number of runners may share one store.
pub struct Runner {
    pub(crate) store: Arc<dyn JobStore>,
    pub(crate) environment: Arc<dyn Environment>,
    pub(crate) registry: Registry,
    pub(crate) settings: RunnerSettings,
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
        Self { store, environment, registry, settings }
    }

    /// Runs until `stop` is cancelled; then leases nothing more, waits for what runs, and gives the rest back.
    pub async fn run(self, stop: CancellationToken) {
        let runner = Arc::new(self);
        let queues = join_all(Queue::ALL.iter().map(|queue| worker::work(Arc::clone(&runner), *queue, &stop)));
        tokio::join!(queues, schedule::keep(&runner, &stop), gauges(&runner, &stop));
    }
}

async fn gauges(runner: &Runner, stop: &CancellationToken) {
    let mut health = Health::of("job gauges");
    let mut alarm = Alarm::default();
    while !stop.is_cancelled() {
        for queue in Queue::ALL {
            health.note(gauge(runner, *queue).await);
        }
        health.note(unreadable(runner, &mut alarm).await);
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(runner.settings.gauge_every) => {}
        }
    }
}

async fn gauge(runner: &Runner, queue: Queue) -> StoreResult<()> {
    let depth = runner.store.depth(queue, runner.environment.now()).await?;
    let name = queue.as_str();
    jobs_stored(name, State::Ready, depth.ready);
    jobs_stored(name, State::Leased, depth.leased);
    jobs_stored(name, State::Scheduled, depth.scheduled);
    jobs_stored(name, State::Dead, depth.dead);
    Ok(())
}

/// Counts the jobs that this program cannot run, and raises the alarm for them.
async fn unreadable(runner: &Runner, alarm: &mut Alarm) -> StoreResult<()> {
    let now = runner.environment.now();
    let kinds: Vec<&'static str> = runner.registry.kinds().collect();
    let jobs = runner.store.unreadable(&kinds, now.minus(GRACE), LISTED_MAX).await?;
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

/// A bell's future that listens from now on, and whether it rang at once nevertheless. Made before looking for work, so that what is written
/// in between is heard. A ring kept from before is taken away, as the look that follows answers it.
pub(crate) fn listening<F: Future<Output = ()> + Unpin>(bell: impl Fn() -> F) -> (F, bool) {
    let mut heard = bell();
    if (&mut heard).now_or_never().is_some() {
        heard = bell();
        let rings_always = (&mut heard).now_or_never().is_some();
        return (heard, rings_always);
    }
    (heard, false)
}

/// Says once that a store is away, and once that it is back, instead of at each try.
pub(crate) struct Health {
    who: &'static str,
    away: bool,
}

impl Health {
    pub(crate) const fn of(who: &'static str) -> Self {
        Self { who, away: false }
    }

    /// The value, or none where the store is away.
    pub(crate) fn note<T>(&mut self, answer: Result<T, Fault>) -> Option<T> {
        let was_away = std::mem::replace(&mut self.away, answer.is_err());
        match answer {
            Ok(value) => {
                if was_away {
                    tracing::info!(loop_name = self.who, "the cold tier answers again");
                }
                Some(value)
            }
            Err(fault) => {
                if !was_away {
                    tracing::warn!(loop_name = self.who, %fault, "the cold tier does not answer; trying on");
                }
                None
            }
        }
    }
}
