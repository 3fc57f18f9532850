//! Cases of keys, schedules and queue depth: one live job per key, one claim per occurrence.

use std::sync::Arc;
use std::time::Duration;

use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::jobs::ports::{JobEnd, JobStore, NewJob, QueueDepth};
use voelgoed_domain::ids::OrganizationId;

use super::{LEASE, SECOND, depth, end, job, lease, lease_one};
use crate::sut::Sut;

/// The earlier time of the two is kept; another organization's key is separate.
pub async fn second_live_job_with_a_key_is_dropped<S: JobStore>(sut: Sut<S>) {
    let environment = &*sut.environment;
    let later = environment.now().plus(SECOND);
    let [a, b]: [OrganizationId; 2] = [new_id(environment), new_id(environment)];
    let keyed =
        |organization, run_at| NewJob { organization, run_at, unique_key: Some("poll".into()), ..job(environment) };
    let first = keyed(Some(a), later);
    sut.store.enqueue(vec![first.clone()]).await.unwrap();
    sut.store.enqueue(vec![keyed(Some(a), later.plus(SECOND)), job(environment)]).await.unwrap();
    lease_one(&sut).await;
    sut.store.enqueue(vec![keyed(Some(a), environment.now())]).await.unwrap();
    let held = lease_one(&sut).await;
    assert_eq!(held.id, first.id, "the first one, at the earlier moment");
    sut.store.enqueue(vec![keyed(Some(a), environment.now())]).await.unwrap();
    assert!(lease(&sut, 10).await.is_empty(), "a running job keeps its key");
    sut.store
        .enqueue(vec![keyed(Some(b), later), keyed(Some(b), environment.now()), keyed(None, environment.now())])
        .await
        .unwrap();
    sut.store.enqueue(vec![keyed(None, environment.now())]).await.unwrap();
    let others: Vec<_> = lease(&sut, 10).await.into_iter().map(|job| job.organization).collect();
    assert_eq!(others.len(), 2, "{others:?}");
    assert!(others.contains(&Some(b)) && others.contains(&None), "organizations and the system have separate keys");
    assert!(end(&sut, &held, JobEnd::Dead("x".into())).await);
    sut.store.enqueue(vec![keyed(Some(a), environment.now())]).await.unwrap();
    assert_ne!(lease_one(&sut).await.id, first.id, "a dead job has no key");
}

/// Eight callers compete. The schedule keeps its phase, and missed occurrences are not repeated.
pub async fn scheduled_occurrence_is_claimed_once<S: JobStore>(sut: Sut<S>) {
    let period = Duration::from_secs(10);
    let claims = || async {
        let now = sut.environment.now();
        let callers = (0..8).map(|_| {
            let store = Arc::clone(&sut.store);
            tokio::spawn(async move { store.claim_schedule("sweep", period, now).await.unwrap() })
        });
        let mut claimed = 0;
        for caller in callers.collect::<Vec<_>>() {
            claimed += u32::from(caller.await.unwrap());
        }
        claimed
    };
    for (seconds, expected) in [(0, 1), (9, 0), (1, 1), (35, 1), (4, 0), (1, 1)] {
        sut.environment.advance(Duration::from_secs(seconds));
        assert_eq!(claims().await, expected, "{seconds} s later");
    }
    let now = sut.environment.now();
    assert!(sut.store.claim_schedule("another", period, now).await.unwrap(), "schedules are separate");
}

/// A job is either ready, leased, scheduled or dead.
pub async fn queue_depth_counts_each_job_once<S: JobStore>(sut: Sut<S>) {
    let environment = &*sut.environment;
    let later = NewJob { run_at: environment.now().plus(LEASE * 9), ..job(environment) };
    sut.store.enqueue(vec![later, job(environment), job(environment), job(environment)]).await.unwrap();
    let held = lease(&sut, 2).await;
    assert!(end(&sut, &held[0], JobEnd::Dead("x".into())).await);
    assert_eq!(depth(&sut).await, QueueDepth { ready: 1, leased: 1, scheduled: 1, dead: 1 });
    environment.advance(LEASE);
    assert_eq!(depth(&sut).await, QueueDepth { ready: 2, leased: 0, scheduled: 1, dead: 1 });
}

/// A runner that waits for new jobs is notified.
pub async fn enqueue_wakes_a_waiting_runner<S: JobStore>(sut: Sut<S>) {
    let store = Arc::clone(&sut.store);
    let waiting = tokio::spawn(async move { store.written().await });
    sut.store.enqueue(vec![job(&sut.environment)]).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap();
}
