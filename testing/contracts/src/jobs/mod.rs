//! What `JobStore` promises: due jobs in order, leases that fence, outcomes that decide, one living job per key, one claim per occurrence (P8).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use uuid::Uuid;
use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::jobs::ports::{JobEnd, JobStore, LeasedJob, NewJob, Queue, QueueDepth};
use voelgoed_domain::ids::OrganizationId;

use crate::subject::{Subject, TestEnvironment};

mod random;

pub use random::whatever_happens_one_holder_decides;

/// Every case, as a test; `$open` opens a subject.
#[macro_export]
macro_rules! job_store_suite {
    ($open:expr) => {
        $crate::cases! { jobs, $open;
            due_jobs_come_oldest_first_and_once
            queues_are_apart
            a_lapsed_lease_is_due_again_and_fenced
            a_renewed_lease_holds
            outcomes_decide_what_follows
            who_takes_its_runners_along_is_dead_at_last
            one_living_job_per_key
            a_dead_job_is_revived_unless_it_was_replaced
            an_occurrence_is_claimed_once
            many_runners_share_the_work
            depth_counts_each_job_once
            a_write_rings
            whatever_happens_one_holder_decides
        }
    };
}

const LEASE: Duration = Duration::from_secs(30);
/// What the runner of these cases knows.
const KINDS: [&str; 1] = ["test.kind"];
const SECOND: Duration = Duration::from_secs(1);

fn job(environment: &TestEnvironment) -> NewJob {
    NewJob {
        id: fresh(environment),
        organization: None,
        kind: "test.kind",
        queue: Queue::Upkeep,
        payload: json!({"n": 1, "text": "ä"}),
        run_at: environment.now(),
        unique_key: None,
        max_attempts: 3,
    }
}

async fn lease<S: JobStore>(subject: &Subject<S>, most: u32) -> Vec<LeasedJob> {
    subject.store.lease(Queue::Upkeep, &KINDS, most, subject.environment.now(), LEASE).await.unwrap()
}

async fn lease_one<S: JobStore>(subject: &Subject<S>) -> LeasedJob {
    let mut leased = lease(subject, 10).await;
    assert_eq!(leased.len(), 1);
    leased.remove(0)
}

async fn end<S: JobStore>(subject: &Subject<S>, job: &LeasedJob, end: JobEnd) -> bool {
    subject.store.end(job.id, job.lease, end, subject.environment.now()).await.unwrap()
}

async fn depth<S: JobStore>(subject: &Subject<S>) -> QueueDepth {
    subject.store.depth(Queue::Upkeep, subject.environment.now()).await.unwrap()
}

/// Oldest first, not before their time, not while leased; what comes back is what was written.
pub async fn due_jobs_come_oldest_first_and_once<S: JobStore>(subject: Subject<S>) {
    let environment = &*subject.environment;
    let now = environment.now();
    let organization = fresh(environment);
    let first = NewJob { organization: Some(organization), ..job(environment) };
    let second = NewJob { run_at: now.minus(SECOND), ..job(environment) };
    let later = NewJob { run_at: now.plus(SECOND), ..job(environment) };
    subject.store.enqueue(vec![later.clone(), first.clone(), second.clone()]).await.unwrap();
    let leased = lease(&subject, 1).await;
    assert_eq!(leased.iter().map(|job| job.id).collect::<Vec<_>>(), [second.id]);
    let leased = lease(&subject, 10).await;
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
    assert!(lease(&subject, 10).await.is_empty());
    environment.advance(SECOND);
    assert_eq!(lease_one(&subject).await.id, later.id);
}

/// A queue's jobs are nobody else's.
pub async fn queues_are_apart<S: JobStore>(subject: Subject<S>) {
    let environment = &*subject.environment;
    let payment = NewJob { queue: Queue::Payments, ..job(environment) };
    subject.store.enqueue(vec![payment.clone(), job(environment)]).await.unwrap();
    assert_ne!(lease_one(&subject).await.id, payment.id);
    let leased = subject.store.lease(Queue::Payments, &KINDS, 10, environment.now(), LEASE).await.unwrap();
    assert_eq!(leased.iter().map(|job| job.id).collect::<Vec<_>>(), [payment.id]);
    assert!(subject.store.lease(Queue::Notifications, &KINDS, 10, environment.now(), LEASE).await.unwrap().is_empty());
}

/// Who lost the lease changes nothing any more.
pub async fn a_lapsed_lease_is_due_again_and_fenced<S: JobStore>(subject: Subject<S>) {
    subject.store.enqueue(vec![job(&subject.environment)]).await.unwrap();
    let lost = lease_one(&subject).await;
    subject.environment.advance(LEASE - Duration::from_micros(1));
    assert!(lease(&subject, 10).await.is_empty(), "the lease lasts to its end");
    subject.environment.advance(Duration::from_micros(1));
    let held = lease_one(&subject).await;
    assert_eq!((held.id, held.attempt), (lost.id, 2));
    assert_ne!(held.lease, lost.lease);
    let now = subject.environment.now();
    assert!(!subject.store.renew(lost.id, lost.lease, now.plus(LEASE * 9)).await.unwrap());
    for outcome in [
        JobEnd::Done,
        JobEnd::Cancelled("x".into()),
        JobEnd::Retry { at: now, error: "x".into() },
        JobEnd::Snooze(now),
        JobEnd::Dead("x".into()),
    ] {
        assert!(!end(&subject, &lost, outcome).await);
    }
    assert_eq!(depth(&subject).await, QueueDepth { leased: 1, ..QueueDepth::default() });
    assert!(end(&subject, &held, JobEnd::Done).await);
    assert!(!end(&subject, &held, JobEnd::Done).await, "it is gone");
    assert_eq!(depth(&subject).await, QueueDepth::default());
}

/// A renewed lease is not taken over at its first end.
pub async fn a_renewed_lease_holds<S: JobStore>(subject: Subject<S>) {
    subject.store.enqueue(vec![job(&subject.environment)]).await.unwrap();
    let held = lease_one(&subject).await;
    let now = subject.environment.advance(LEASE / 2);
    assert!(subject.store.renew(held.id, held.lease, now.plus(LEASE)).await.unwrap());
    subject.environment.advance(LEASE - SECOND);
    assert!(lease(&subject, 10).await.is_empty());
    subject.environment.advance(SECOND);
    assert_eq!(lease_one(&subject).await.attempt, 2);
}

/// Each outcome, and the attempts that it counts.
pub async fn outcomes_decide_what_follows<S: JobStore>(subject: Subject<S>) {
    let environment = &*subject.environment;
    for outcome in [JobEnd::Done, JobEnd::Cancelled("no longer wanted".into())] {
        subject.store.enqueue(vec![job(environment)]).await.unwrap();
        let held = lease_one(&subject).await;
        assert!(end(&subject, &held, outcome).await);
        assert_eq!(depth(&subject).await, QueueDepth::default());
    }
    subject.store.enqueue(vec![job(environment)]).await.unwrap();
    let held = lease_one(&subject).await;
    let at = environment.now().plus(SECOND);
    assert!(end(&subject, &held, JobEnd::Snooze(at)).await);
    assert!(lease(&subject, 10).await.is_empty(), "not before its moment");
    for attempt in 1..=3 {
        environment.advance(SECOND);
        let held = lease_one(&subject).await;
        assert_eq!(held.attempt, attempt, "a snooze does not count, a failure does");
        assert_eq!(held.last_error, (attempt > 1).then(|| format!("failure {}", attempt - 1)));
        let at = environment.now().plus(SECOND);
        assert!(end(&subject, &held, JobEnd::Retry { at, error: format!("failure {attempt}") }).await);
    }
    environment.advance(LEASE * 10);
    assert!(lease(&subject, 10).await.is_empty(), "out of attempts");
    let dead = subject.store.dead(10).await.unwrap();
    assert_eq!(dead.iter().map(|job| (job.id, job.attempt)).collect::<Vec<_>>(), [(held.id, 3)]);
    assert_eq!(dead[0].last_error.as_deref(), Some("failure 3"));
    subject.store.enqueue(vec![job(environment)]).await.unwrap();
    let held = lease_one(&subject).await;
    assert!(end(&subject, &held, JobEnd::Dead("it can never be".into())).await);
    let dead = subject.store.dead(10).await.unwrap();
    assert_eq!(
        dead.iter().map(|job| job.last_error.as_deref()).collect::<Vec<_>>(),
        [Some("failure 3"), Some("it can never be")]
    );
    assert_eq!(subject.store.dead(1).await.unwrap().len(), 1);
}

/// A job that ends its process each time does not do so for ever.
pub async fn who_takes_its_runners_along_is_dead_at_last<S: JobStore>(subject: Subject<S>) {
    subject.store.enqueue(vec![job(&subject.environment)]).await.unwrap();
    for attempt in 1..=3 {
        assert_eq!(lease_one(&subject).await.attempt, attempt);
        subject.environment.advance(LEASE);
    }
    assert!(lease(&subject, 10).await.is_empty());
    assert_eq!(depth(&subject).await, QueueDepth { dead: 1, ..QueueDepth::default() });
    assert!(subject.store.dead(10).await.unwrap()[0].last_error.is_some());
}

/// A second one is dropped, the earlier moment kept; another tenant's key is another key.
pub async fn one_living_job_per_key<S: JobStore>(subject: Subject<S>) {
    let environment = &*subject.environment;
    let later = environment.now().plus(SECOND);
    let [a, b]: [OrganizationId; 2] = [fresh(environment), fresh(environment)];
    let keyed =
        |organization, run_at| NewJob { organization, run_at, unique_key: Some("poll".into()), ..job(environment) };
    let first = keyed(Some(a), later);
    subject.store.enqueue(vec![first.clone()]).await.unwrap();
    subject.store.enqueue(vec![keyed(Some(a), later.plus(SECOND)), job(environment)]).await.unwrap();
    lease_one(&subject).await;
    subject.store.enqueue(vec![keyed(Some(a), environment.now())]).await.unwrap();
    let held = lease_one(&subject).await;
    assert_eq!(held.id, first.id, "the first one, at the earlier moment");
    subject.store.enqueue(vec![keyed(Some(a), environment.now())]).await.unwrap();
    assert!(lease(&subject, 10).await.is_empty(), "it lives while it runs");
    subject
        .store
        .enqueue(vec![keyed(Some(b), later), keyed(Some(b), environment.now()), keyed(None, environment.now())])
        .await
        .unwrap();
    subject.store.enqueue(vec![keyed(None, environment.now())]).await.unwrap();
    let others: Vec<_> = lease(&subject, 10).await.into_iter().map(|job| job.organization).collect();
    assert_eq!(others.len(), 2, "{others:?}");
    assert!(others.contains(&Some(b)) && others.contains(&None), "tenants and the system have keys of their own");
    assert!(end(&subject, &held, JobEnd::Dead("x".into())).await);
    subject.store.enqueue(vec![keyed(Some(a), environment.now())]).await.unwrap();
    assert_ne!(lease_one(&subject).await.id, first.id, "a dead one holds no key");
}

/// Revived with all attempts; refused where it lives, or where another took its key.
pub async fn a_dead_job_is_revived_unless_it_was_replaced<S: JobStore>(subject: Subject<S>) {
    let environment = &*subject.environment;
    let keyed = || NewJob { unique_key: Some("sweep".into()), ..job(environment) };
    subject.store.enqueue(vec![keyed()]).await.unwrap();
    let held = lease_one(&subject).await;
    assert!(!subject.store.revive(held.id, environment.now()).await.unwrap(), "it is not dead");
    assert!(end(&subject, &held, JobEnd::Dead("x".into())).await);
    assert!(subject.store.revive(held.id, environment.now()).await.unwrap());
    let revived = lease_one(&subject).await;
    assert_eq!((revived.id, revived.attempt), (held.id, 1));
    assert!(end(&subject, &revived, JobEnd::Dead("x".into())).await);
    subject.store.enqueue(vec![keyed()]).await.unwrap();
    assert!(!subject.store.revive(held.id, environment.now()).await.unwrap(), "another lives under its key");
    assert!(!subject.store.revive(fresh(environment), environment.now()).await.unwrap(), "nobody knows it");
    assert_eq!(depth(&subject).await, QueueDepth { ready: 1, dead: 1, ..QueueDepth::default() });
}

/// One of eight callers; the beat is kept, what was missed is not made up for.
pub async fn an_occurrence_is_claimed_once<S: JobStore>(subject: Subject<S>) {
    let period = Duration::from_secs(10);
    let claims = || async {
        let now = subject.environment.now();
        let callers = (0..8).map(|_| {
            let store = Arc::clone(&subject.store);
            tokio::spawn(async move { store.claim_schedule("sweep", period, now).await.unwrap() })
        });
        let mut claimed = 0;
        for caller in callers.collect::<Vec<_>>() {
            claimed += u32::from(caller.await.unwrap());
        }
        claimed
    };
    for (seconds, expected) in [(0, 1), (9, 0), (1, 1), (35, 1), (4, 0), (1, 1)] {
        subject.environment.advance(Duration::from_secs(seconds));
        assert_eq!(claims().await, expected, "{seconds} s later");
    }
    let now = subject.environment.now();
    assert!(subject.store.claim_schedule("another", period, now).await.unwrap(), "schedules are apart");
}

/// Eight runners, two hundred jobs: each job once.
pub async fn many_runners_share_the_work<S: JobStore>(subject: Subject<S>) {
    let jobs: Vec<_> = (0..200).map(|_| job(&subject.environment)).collect();
    subject.store.enqueue(jobs).await.unwrap();
    let now = subject.environment.now();
    let runners = (0..8).map(|_| {
        let store = Arc::clone(&subject.store);
        tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let leased = store.lease(Queue::Upkeep, &KINDS, 7, now, LEASE).await.unwrap();
                if leased.is_empty() {
                    return mine;
                }
                for job in leased {
                    assert!(store.end(job.id, job.lease, JobEnd::Done, now).await.unwrap());
                    mine.push(job.id.uuid());
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

/// Ready, leased, scheduled, dead.
pub async fn depth_counts_each_job_once<S: JobStore>(subject: Subject<S>) {
    let environment = &*subject.environment;
    let later = NewJob { run_at: environment.now().plus(LEASE * 9), ..job(environment) };
    subject.store.enqueue(vec![later, job(environment), job(environment), job(environment)]).await.unwrap();
    let held = lease(&subject, 2).await;
    assert!(end(&subject, &held[0], JobEnd::Dead("x".into())).await);
    assert_eq!(depth(&subject).await, QueueDepth { ready: 1, leased: 1, scheduled: 1, dead: 1 });
    environment.advance(LEASE);
    assert_eq!(depth(&subject).await, QueueDepth { ready: 2, leased: 0, scheduled: 1, dead: 1 });
}

/// Who waits hears of it.
pub async fn a_write_rings<S: JobStore>(subject: Subject<S>) {
    let store = Arc::clone(&subject.store);
    let waiting = tokio::spawn(async move { store.written().await });
    subject.store.enqueue(vec![job(&subject.environment)]).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap();
}
