//! Cases of ended jobs: the outcome decides the next state, attempts are counted, dead jobs are revived.

use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::jobs::ports::{JobEnd, JobStore, NewJob, QueueDepth};

use super::{LEASE, SECOND, depth, end, job, lease, lease_one};
use crate::sut::Sut;

/// A failure counts as an attempt; a snooze does not.
pub async fn each_outcome_sets_the_next_state<S: JobStore>(sut: Sut<S>) {
    let environment = &*sut.environment;
    for outcome in [JobEnd::Done, JobEnd::Cancelled("no longer wanted".into())] {
        sut.store.enqueue(vec![job(environment)]).await.unwrap();
        let held = lease_one(&sut).await;
        assert!(end(&sut, &held, outcome).await);
        assert_eq!(depth(&sut).await, QueueDepth::default());
    }
    sut.store.enqueue(vec![job(environment)]).await.unwrap();
    let held = lease_one(&sut).await;
    let at = environment.now().plus(SECOND);
    assert!(end(&sut, &held, JobEnd::Snooze(at)).await);
    assert!(lease(&sut, 10).await.is_empty(), "not before its time");
    for attempt in 1..=3 {
        environment.advance(SECOND);
        let held = lease_one(&sut).await;
        assert_eq!(held.attempt, attempt, "a snooze does not count, a failure does");
        assert_eq!(held.last_error, (attempt > 1).then(|| format!("failure {}", attempt - 1)));
        let at = environment.now().plus(SECOND);
        assert!(end(&sut, &held, JobEnd::Retry { at, error: format!("failure {attempt}") }).await);
    }
    environment.advance(LEASE * 10);
    assert!(lease(&sut, 10).await.is_empty(), "out of attempts");
    let dead = sut.store.dead(10).await.unwrap();
    assert_eq!(dead.iter().map(|job| (job.id, job.attempt)).collect::<Vec<_>>(), [(held.id, 3)]);
    assert_eq!(dead[0].last_error.as_deref(), Some("failure 3"));
    sut.store.enqueue(vec![job(environment)]).await.unwrap();
    let held = lease_one(&sut).await;
    assert!(end(&sut, &held, JobEnd::Dead("it can never be".into())).await);
    let dead = sut.store.dead(10).await.unwrap();
    assert_eq!(
        dead.iter().map(|job| job.last_error.as_deref()).collect::<Vec<_>>(),
        [Some("failure 3"), Some("it can never be")]
    );
    assert_eq!(sut.store.dead(1).await.unwrap().len(), 1);
}

/// Leases that only lapse use up the attempts.
pub async fn job_that_keeps_crashing_its_runner_is_buried<S: JobStore>(sut: Sut<S>) {
    sut.store.enqueue(vec![job(&sut.environment)]).await.unwrap();
    for attempt in 1..=3 {
        assert_eq!(lease_one(&sut).await.attempt, attempt);
        sut.environment.advance(LEASE);
    }
    assert!(lease(&sut, 10).await.is_empty());
    assert_eq!(depth(&sut).await, QueueDepth { dead: 1, ..QueueDepth::default() });
    assert!(sut.store.dead(10).await.unwrap()[0].last_error.is_some());
}

/// A revived job has all its attempts. A live job is not revived, nor a dead one whose key another job took.
pub async fn dead_job_is_revived_unless_its_key_was_reused<S: JobStore>(sut: Sut<S>) {
    let environment = &*sut.environment;
    let keyed = || NewJob { unique_key: Some("sweep".into()), ..job(environment) };
    sut.store.enqueue(vec![keyed()]).await.unwrap();
    let held = lease_one(&sut).await;
    assert!(!sut.store.revive(held.id, environment.now()).await.unwrap(), "it is not dead");
    assert!(end(&sut, &held, JobEnd::Dead("x".into())).await);
    assert!(sut.store.revive(held.id, environment.now()).await.unwrap());
    let revived = lease_one(&sut).await;
    assert_eq!((revived.id, revived.attempt), (held.id, 1));
    assert!(end(&sut, &revived, JobEnd::Dead("x".into())).await);
    sut.store.enqueue(vec![keyed()]).await.unwrap();
    assert!(!sut.store.revive(held.id, environment.now()).await.unwrap(), "another live job has its key");
    assert!(!sut.store.revive(new_id(environment), environment.now()).await.unwrap(), "unknown");
    assert_eq!(depth(&sut).await, QueueDepth { ready: 1, dead: 1, ..QueueDepth::default() });
}
