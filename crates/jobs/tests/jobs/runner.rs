//! Tests the runner on the real store: outcomes, crashes, lost leases, panics and timeouts.

use std::time::Duration;

use voelgoed_app::environment::Environment;
use voelgoed_app::jobs::handler::JobOutcome;
use voelgoed_app::jobs::ports::{JobEnd, JobStore, NewJob, Queue, QueueDepth};
use voelgoed_jobs::{RunnerSettings, backoff};

use super::fixture::{JobsFixture, LEASE, NONE, WAIT_MAX, scripted_handler, short_intervals};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_outcome_leaves_the_row_in_the_state_of_its_table_row() {
    let fixture = JobsFixture::new().await;
    let (handler, mut control) = scripted_handler("test.scripted");
    let running = fixture.start(short_intervals(), vec![handler]);
    for (outcome, left) in [
        (JobOutcome::Done, NONE),
        (JobOutcome::Cancel("moot".into()), NONE),
        (JobOutcome::Snooze(LEASE), QueueDepth { scheduled: 1, ..NONE }),
        (JobOutcome::Retry("no luck".into()), QueueDepth { scheduled: 2, ..NONE }),
        (JobOutcome::Dead("never".into()), QueueDepth { scheduled: 2, dead: 1, ..NONE }),
    ] {
        fixture.enqueue(fixture.job("test.scripted")).await;
        control.started().await;
        control.outcome.send(outcome).unwrap();
        fixture.until_depth(left).await;
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_job_is_retried_after_a_stored_backoff_and_is_dead_after_its_last_attempt() {
    let fixture = JobsFixture::new().await;
    let (handler, mut control) = scripted_handler("test.scripted");
    let mut running = fixture.start(short_intervals(), vec![handler]);
    fixture.enqueue(fixture.job("test.scripted")).await;
    for attempt in 1..=3 {
        let run = control.started().await;
        assert_eq!((run.attempt(), run.is_last_attempt()), (attempt, attempt == 3));
        assert_eq!(run.last_error(), (attempt > 1).then_some("no luck"));
        control.outcome.send(JobOutcome::Retry("no luck".into())).unwrap();
        let left = if attempt == 3 { QueueDepth { dead: 1, ..NONE } } else { QueueDepth { scheduled: 1, ..NONE } };
        fixture.until_depth(left).await;
        // Another process finds the same backoff, because it is stored in the row.
        running.stop().await;
        let (handler, next_control) = scripted_handler("test.scripted");
        running = fixture.start(short_intervals(), vec![handler]);
        control = next_control;
        fixture.environment.advance(backoff::BACKOFF_MIN - Duration::from_micros(1));
        assert!(control.nothing_started());
        fixture.environment.advance(backoff::pause_max(attempt));
    }
    let dead = fixture.store.dead(10).await.unwrap();
    assert_eq!((dead.len(), dead[0].last_error.as_deref()), (1, Some("no luck")));
    assert!(fixture.store.revive(dead[0].id, fixture.environment.now()).await.unwrap());
    assert_eq!(control.started().await.attempt(), 1, "a revived job starts with its first attempt");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn job_of_a_process_that_died_before_writing_the_outcome_runs_again() {
    let fixture = JobsFixture::new().await;
    let (handler, mut control) = scripted_handler("test.scripted");
    let running = fixture.start(short_intervals(), vec![handler]);
    fixture.enqueue(fixture.job("test.scripted")).await;
    let first = control.started().await;
    running.kill().await;
    let (handler, mut control) = scripted_handler("test.scripted");
    let running = fixture.start(short_intervals(), vec![handler]);
    fixture.until_depth(QueueDepth { leased: 1, ..NONE }).await;
    assert!(control.nothing_started(), "the dead process's lease has not lapsed");
    fixture.environment.advance(LEASE);
    let second = control.started().await;
    assert_eq!((second.id(), second.attempt()), (first.id(), 2));
    control.outcome.send(JobOutcome::Done).unwrap();
    fixture.until_depth(NONE).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outcome_of_a_runner_that_lost_its_lease_is_refused() {
    let fixture = JobsFixture::new().await;
    let (handler, mut control) = scripted_handler("test.scripted");
    // This runner renews too late, as if its process had been suspended, and has no free worker to lease its own job again.
    let slow = RunnerSettings { renew_interval: WAIT_MAX * 10, upkeep_workers: 1, ..short_intervals() };
    let running = fixture.start(slow, vec![handler]);
    fixture.enqueue(fixture.job("test.scripted")).await;
    control.started().await;
    let now = fixture.environment.advance(LEASE);
    let taken = fixture.store.lease(Queue::Upkeep, &["test.scripted"], 10, now, LEASE * 10).await.unwrap();
    let [later] = &taken[..] else { panic!("{taken:?}") };
    assert_eq!(later.attempt, 2);
    control.outcome.send(JobOutcome::Done).unwrap();
    running.stop().await;
    assert_eq!(fixture.depth().await, QueueDepth { leased: 1, ..NONE }, "the outcome of the first holder was refused");
    assert!(
        fixture.store.end(later.id, later.lease, JobEnd::Done, now).await.unwrap(),
        "the outcome of the later holder is written"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn run_whose_lease_is_lost_is_dropped() {
    let fixture = JobsFixture::new().await;
    let (handler, mut control) = scripted_handler("test.scripted");
    let running = fixture.start(short_intervals(), vec![handler]);
    fixture.enqueue(fixture.job("test.scripted")).await;
    let run = control.started().await;
    // The row is deleted while the job runs, so the next renewal is refused and the handler's future dropped.
    let mut tx = fixture.store.db().begin(voelgoed_cold::db::SystemRole::Jobs).await.unwrap();
    let delete = voelgoed_cold::db::sql("test.delete", "delete from jobs where kind = 'test.scripted'");
    assert_eq!(tx.execute(delete, vec![]).await.unwrap(), 1);
    tx.commit().await.unwrap();
    // A dropped run leaves the outcomes to the next run.
    fixture.enqueue(fixture.job("test.scripted")).await;
    let next = control.started().await;
    assert_ne!(run.id(), next.id());
    let dropped = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(2));
        loop {
            ticks.tick().await;
            control.outcome.send(JobOutcome::Done).unwrap();
            if fixture.depth().await == NONE {
                break;
            }
        }
    };
    tokio::time::timeout(WAIT_MAX, dropped).await.unwrap();
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_run_renews_its_lease() {
    let fixture = JobsFixture::new().await;
    let (handler, mut control) = scripted_handler("test.scripted");
    let running = fixture.start(short_intervals(), vec![handler]);
    fixture.enqueue(fixture.job("test.scripted")).await;
    control.started().await;
    for _ in 0..5 {
        // Each step is less than a lease, all together are more; between them a renewal is due.
        let now = fixture.environment.advance(LEASE / 2);
        let renewed = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(2));
            let almost = now.plus(LEASE - Duration::from_micros(1));
            while fixture.store.depth(Queue::Upkeep, almost).await.unwrap().leased == 0 {
                ticks.tick().await;
            }
        };
        tokio::time::timeout(WAIT_MAX, renewed).await.expect("the lease is renewed");
    }
    assert!(control.nothing_started());
    control.outcome.send(JobOutcome::Done).unwrap();
    fixture.until_depth(NONE).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn panic_and_timeout_count_as_failures() {
    let fixture = JobsFixture::new().await;
    let (handler, mut control) = scripted_handler("test.scripted");
    let settings = RunnerSettings { run_timeout: Duration::from_secs(2), ..short_intervals() };
    let running = fixture.start(settings, vec![handler]);
    for (outcome, error) in [
        (Some(JobOutcome::Cancel("panic".into())), "the handler panicked: the scripted panic"),
        (None, "the run took longer than 2 s"),
    ] {
        fixture.enqueue(NewJob { max_attempts: 1, ..fixture.job("test.scripted") }).await;
        control.started().await;
        if let Some(outcome) = outcome {
            control.outcome.send(outcome).unwrap();
        }
        fixture.until_depth(QueueDepth { dead: 1, ..NONE }).await;
        let dead = fixture.store.dead(10).await.unwrap().remove(0);
        assert_eq!(dead.last_error.as_deref(), Some(error));
        assert!(fixture.store.revive(dead.id, fixture.environment.now()).await.unwrap());
        control.started().await;
        control.outcome.send(JobOutcome::Done).unwrap();
        fixture.until_depth(NONE).await;
    }
    running.stop().await;
}
