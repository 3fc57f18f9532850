//! Cases of leases: due jobs are leased in order and once, and a lost lease is fenced.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::jobs::ports::{JobEnd, JobStore, LeasedJob, NewJob, Queue, QueueDepth};

use super::{KINDS, LEASE, SECOND, depth, end, job, lease, lease_one};
use crate::sut::Sut;

/// A job is leased when due and after its lease has ended, and is returned as it was enqueued.
pub async fn due_jobs_are_leased_oldest_first_and_once<S: JobStore>(sut: Sut<S>) {
    let environment = &*sut.environment;
    let now = environment.now();
    let organization = new_id(environment);
    let first = NewJob { organization: Some(organization), ..job(environment) };
    let second = NewJob { run_at: now.minus(SECOND), ..job(environment) };
    let later = NewJob { run_at: now.plus(SECOND), ..job(environment) };
    sut.store.enqueue(vec![later.clone(), first.clone(), second.clone()]).await.unwrap();
    let leased = lease(&sut, 1).await;
    assert_eq!(leased.iter().map(|job| job.id).collect::<Vec<_>>(), [second.id]);
    let leased = lease(&sut, 10).await;
    let [got] = &leased[..] else { panic!("{leased:?}") };
    let expected = LeasedJob {
        id: first.id,
        organization: Some(organization),
        kind: first.kind.to_owned(),
        payload: first.payload,
        attempt: 1,
        max_attempts: 3,
        run_at: now,
        last_error: None,
        lease: got.lease,
    };
    assert_eq!(*got, expected);
    assert!(lease(&sut, 10).await.is_empty());
    environment.advance(SECOND);
    assert_eq!(lease_one(&sut).await.id, later.id);
}

/// The other queues stay empty.
pub async fn job_is_leased_from_its_own_queue_only<S: JobStore>(sut: Sut<S>) {
    let environment = &*sut.environment;
    let payment = NewJob { queue: Queue::Payments, ..job(environment) };
    sut.store.enqueue(vec![payment.clone(), job(environment)]).await.unwrap();
    assert_ne!(lease_one(&sut).await.id, payment.id);
    let leased = sut.store.lease(Queue::Payments, &KINDS, 10, environment.now(), LEASE).await.unwrap();
    assert_eq!(leased.iter().map(|job| job.id).collect::<Vec<_>>(), [payment.id]);
    assert!(sut.store.lease(Queue::Notifications, &KINDS, 10, environment.now(), LEASE).await.unwrap().is_empty());
}

/// The former holder of a lapsed lease can change nothing.
pub async fn lapsed_lease_is_due_again_and_fenced<S: JobStore>(sut: Sut<S>) {
    sut.store.enqueue(vec![job(&sut.environment)]).await.unwrap();
    let lost = lease_one(&sut).await;
    sut.environment.advance(LEASE - Duration::from_micros(1));
    assert!(lease(&sut, 10).await.is_empty(), "the lease lasts to its end");
    sut.environment.advance(Duration::from_micros(1));
    let held = lease_one(&sut).await;
    assert_eq!((held.id, held.attempt), (lost.id, 2));
    assert_ne!(held.lease, lost.lease);
    let now = sut.environment.now();
    assert!(!sut.store.renew(lost.id, lost.lease, now.plus(LEASE * 9)).await.unwrap());
    for outcome in [
        JobEnd::Done,
        JobEnd::Cancelled("x".into()),
        JobEnd::Retry { at: now, error: "x".into() },
        JobEnd::Snooze(now),
        JobEnd::Dead("x".into()),
    ] {
        assert!(!end(&sut, &lost, outcome).await);
    }
    assert_eq!(depth(&sut).await, QueueDepth { leased: 1, ..QueueDepth::default() });
    assert!(end(&sut, &held, JobEnd::Done).await);
    assert!(!end(&sut, &held, JobEnd::Done).await, "it is gone");
    assert_eq!(depth(&sut).await, QueueDepth::default());
}

/// The job is not due at the first end of its lease, but at the new one.
pub async fn renewed_lease_lasts_until_its_new_end<S: JobStore>(sut: Sut<S>) {
    sut.store.enqueue(vec![job(&sut.environment)]).await.unwrap();
    let held = lease_one(&sut).await;
    let now = sut.environment.advance(LEASE / 2);
    assert!(sut.store.renew(held.id, held.lease, now.plus(LEASE)).await.unwrap());
    sut.environment.advance(LEASE - SECOND);
    assert!(lease(&sut, 10).await.is_empty());
    sut.environment.advance(SECOND);
    assert_eq!(lease_one(&sut).await.attempt, 2);
}

/// Eight runners share two hundred jobs.
pub async fn concurrent_runners_run_each_job_once<S: JobStore>(sut: Sut<S>) {
    let jobs: Vec<_> = (0..200).map(|_| job(&sut.environment)).collect();
    sut.store.enqueue(jobs).await.unwrap();
    let now = sut.environment.now();
    let runners = (0..8).map(|_| {
        let store = Arc::clone(&sut.store);
        tokio::spawn(async move {
            let mut done = Vec::new();
            loop {
                let leased = store.lease(Queue::Upkeep, &KINDS, 7, now, LEASE).await.unwrap();
                if leased.is_empty() {
                    return done;
                }
                for job in leased {
                    assert!(store.end(job.id, job.lease, JobEnd::Done, now).await.unwrap());
                    done.push(job.id.uuid());
                }
            }
        })
    });
    let mut runs = BTreeMap::<Uuid, u32>::new();
    for runner in runners.collect::<Vec<_>>() {
        for id in runner.await.unwrap() {
            *runs.entry(id).or_default() += 1;
        }
    }
    assert_eq!(runs.len(), 200);
    assert!(runs.values().all(|count| *count == 1));
}
