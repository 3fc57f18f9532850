//! Random leases, ends, renewals and pauses by runners of which some are too late, against a model of the queue.

use std::collections::BTreeMap;
use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::environment::Environment;
use voelgoed_app::jobs::ports::{JobEnd, JobStore, LeasedJob, QueueDepth};
use voelgoed_domain::ids::JobId;
use voelgoed_domain::time::Timestamp;

use super::{LEASE, depth, job, lease};
use crate::subject::{Dice, Subject};

const STEPS: u32 = 400;

#[derive(Clone)]
struct Living {
    run_at: Timestamp,
    attempt: u32,
    lease: Option<(Uuid, Timestamp)>,
    is_dead: bool,
}

#[derive(Default)]
struct Model(BTreeMap<JobId, Living>);

impl Model {
    fn is_ready(job: &Living, now: Timestamp) -> bool {
        !job.is_dead && job.run_at <= now && job.lease.is_none_or(|(_, until)| until <= now)
    }

    /// The oldest ready ones are leased; those whose attempts are used up are dead instead.
    fn lease(&mut self, leased: &[LeasedJob], most: usize, now: Timestamp) {
        let mut ready: Vec<_> =
            self.0.iter().filter(|(_, job)| Self::is_ready(job, now)).map(|(id, job)| (job.run_at, *id)).collect();
        ready.sort_unstable();
        let mut expected = Vec::new();
        for (_, id) in ready.into_iter().take(most) {
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

    /// The job, where this lease is still its own.
    fn held(&mut self, job: &LeasedJob) -> Option<&mut Living> {
        self.0.get_mut(&job.id).filter(|living| living.lease.is_some_and(|(token, _)| token == job.lease))
    }

    fn depth(&self, now: Timestamp) -> QueueDepth {
        let count = |which: &dyn Fn(&Living) -> bool| self.0.values().filter(|job| which(job)).count() as u64;
        let is_leased = |job: &Living| job.lease.is_some_and(|(_, until)| until > now);
        QueueDepth {
            ready: count(&|job| Self::is_ready(job, now)),
            leased: count(&|job| !job.is_dead && is_leased(job)),
            scheduled: count(&|job| !job.is_dead && job.run_at > now && !is_leased(job)),
            dead: count(&|job| job.is_dead),
        }
    }
}

/// Whatever happens in whatever order: one holder at a time, who alone decides; nothing is lost, nothing runs after its end.
pub async fn whatever_happens_one_holder_decides<S: JobStore>(subject: Subject<S>) {
    let mut dice = Dice::new(11);
    let mut model = Model::default();
    let mut handed_out: Vec<LeasedJob> = Vec::new();
    for _ in 0..STEPS {
        let now = subject.environment.now();
        let later = now.plus(Duration::from_secs(dice.below(40) as u64));
        match dice.below(8) {
            0 | 1 => {
                let mut new = job(&subject.environment);
                new.run_at = later;
                model.0.insert(new.id, Living { run_at: later, attempt: 0, lease: None, is_dead: false });
                subject.store.enqueue(vec![new]).await.unwrap();
            }
            2 | 3 => {
                let most = 1 + dice.below(4);
                let leased = lease(&subject, u32::try_from(most).unwrap()).await;
                model.lease(&leased, most, now);
                handed_out.extend(leased);
            }
            4 | 5 if !handed_out.is_empty() => {
                let held = handed_out[dice.below(handed_out.len())].clone();
                let end = [
                    JobEnd::Done,
                    JobEnd::Cancelled("x".into()),
                    JobEnd::Retry { at: later, error: "x".into() },
                    JobEnd::Snooze(later),
                    JobEnd::Dead("x".into()),
                    JobEnd::Parked { until: later, reason: "x".into() },
                ][dice.below(6)]
                .clone();
                let ended = subject.store.end(held.id, held.lease, end.clone(), now).await.unwrap();
                assert_eq!(ended, model.held(&held).is_some());
                apply(&mut model, &held, &end);
            }
            6 if !handed_out.is_empty() => {
                let held = handed_out[dice.below(handed_out.len())].clone();
                let renewed = subject.store.renew(held.id, held.lease, now.plus(LEASE)).await.unwrap();
                let living = model.held(&held);
                assert_eq!(renewed, living.is_some());
                if let Some(living) = living {
                    living.lease = Some((held.lease, now.plus(LEASE)));
                }
            }
            _ => {
                subject.environment.advance(Duration::from_secs(dice.below(20) as u64));
            }
        }
        assert_eq!(depth(&subject).await, model.depth(subject.environment.now()));
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
