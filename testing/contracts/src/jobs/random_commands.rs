//! Random leases, ends, renewals and pauses by runners of which some are late, checked against a model of the queue.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use uuid::Uuid;
use voelgoed_app::environment::Environment;
use voelgoed_app::jobs::ports::{JobEnd, JobStore, LeasedJob, QueueDepth};
use voelgoed_domain::ids::JobId;
use voelgoed_domain::time::Timestamp;

use super::{LEASE, depth, job, lease};
use crate::sut::Sut;

const STEPS: u32 = 400;

#[derive(Clone)]
struct LiveJob {
    run_at: Timestamp,
    attempt: u32,
    lease: Option<(Uuid, Timestamp)>,
    is_dead: bool,
}

#[derive(Default)]
struct Model(BTreeMap<JobId, LiveJob>);

impl Model {
    fn is_ready(job: &LiveJob, now: Timestamp) -> bool {
        !job.is_dead && job.run_at <= now && job.lease.is_none_or(|(_, until)| until <= now)
    }

    /// Leases the oldest ready jobs; those without attempts left are dead instead.
    fn lease(&mut self, leased: &[LeasedJob], limit: usize, now: Timestamp) {
        let mut ready: Vec<_> =
            self.0.iter().filter(|(_, job)| Self::is_ready(job, now)).map(|(id, job)| (job.run_at, *id)).collect();
        ready.sort_unstable();
        let mut expected = Vec::new();
        for (_, id) in ready.into_iter().take(limit) {
            let job = self.0.get_mut(&id).unwrap();
            if job.attempt >= 3 {
                (job.is_dead, job.lease) = (true, None);
            } else {
                job.attempt += 1;
                expected.push((id, job.attempt));
            }
        }
        assert_eq!(leased.iter().map(|job| (job.id, job.attempt)).collect::<Vec<_>>(), expected);
        for job in leased {
            self.0.get_mut(&job.id).unwrap().lease = Some((job.lease, now.plus(LEASE)));
        }
    }

    /// The job, if this lease is its current one.
    fn held(&mut self, job: &LeasedJob) -> Option<&mut LiveJob> {
        self.0.get_mut(&job.id).filter(|live| live.lease.is_some_and(|(token, _)| token == job.lease))
    }

    fn depth(&self, now: Timestamp) -> QueueDepth {
        let count = |which: &dyn Fn(&LiveJob) -> bool| self.0.values().filter(|job| which(job)).count() as u64;
        let is_leased = |job: &LiveJob| job.lease.is_some_and(|(_, until)| until > now);
        QueueDepth {
            ready: count(&|job| Self::is_ready(job, now)),
            leased: count(&|job| !job.is_dead && is_leased(job)),
            scheduled: count(&|job| !job.is_dead && job.run_at > now && !is_leased(job)),
            dead: count(&|job| job.is_dead),
        }
    }
}

/// One runner at a time holds a job and alone ends it; no job is lost, and none runs after its end.
pub async fn random_job_commands_match_the_model<S: JobStore>(sut: Sut<S>) {
    let mut random = StdRng::seed_from_u64(11);
    let mut model = Model::default();
    let mut leases: Vec<LeasedJob> = Vec::new();
    for _ in 0..STEPS {
        let now = sut.environment.now();
        let later = now.plus(Duration::from_secs(random.random_range(0..40)));
        match random.random_range(0..8_u32) {
            0 | 1 => {
                let mut new = job(&sut.environment);
                new.run_at = later;
                model.0.insert(new.id, LiveJob { run_at: later, attempt: 0, lease: None, is_dead: false });
                sut.store.enqueue(vec![new]).await.unwrap();
            }
            2 | 3 => {
                let limit = random.random_range(1..=4);
                let leased = lease(&sut, u32::try_from(limit).unwrap()).await;
                model.lease(&leased, limit, now);
                leases.extend(leased);
            }
            4 | 5 if !leases.is_empty() => {
                let held = leases[random.random_range(0..leases.len())].clone();
                let end = [
                    JobEnd::Done,
                    JobEnd::Cancelled("x".into()),
                    JobEnd::Retry { at: later, error: "x".into() },
                    JobEnd::Snooze(later),
                    JobEnd::Dead("x".into()),
                    JobEnd::Parked { until: later, reason: "x".into() },
                ][random.random_range(0..6_usize)]
                .clone();
                let ended = sut.store.end(held.id, held.lease, end.clone(), now).await.unwrap();
                assert_eq!(ended, model.held(&held).is_some());
                apply(&mut model, &held, &end);
            }
            6 if !leases.is_empty() => {
                let held = leases[random.random_range(0..leases.len())].clone();
                let renewed = sut.store.renew(held.id, held.lease, now.plus(LEASE)).await.unwrap();
                let live = model.held(&held);
                assert_eq!(renewed, live.is_some());
                if let Some(live) = live {
                    live.lease = Some((held.lease, now.plus(LEASE)));
                }
            }
            _ => {
                sut.environment.advance(Duration::from_secs(random.random_range(0..20)));
            }
        }
        assert_eq!(depth(&sut).await, model.depth(sut.environment.now()));
    }
}

fn apply(model: &mut Model, held: &LeasedJob, end: &JobEnd) {
    let Some(job) = model.held(held) else { return };
    job.lease = None;
    match end {
        JobEnd::Done | JobEnd::Cancelled(_) => {
            model.0.remove(&held.id);
        }
        JobEnd::Retry { at, .. } => (job.run_at, job.is_dead) = (*at, job.attempt >= 3),
        JobEnd::Snooze(at) | JobEnd::Parked { until: at, .. } => (job.run_at, job.attempt) = (*at, job.attempt - 1),
        JobEnd::Dead(_) => job.is_dead = true,
    }
}
