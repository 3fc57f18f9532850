//! Tests queues as bulkheads, wakeups, schedules and the drain of a stopping runner.

use std::sync::Arc;
use std::time::Duration;

use voelgoed_app::environment::Environment;
use voelgoed_app::jobs::handler::{JobHandler, JobOutcome};
use voelgoed_app::jobs::ports::{JobStore, NewJob, Queue, QueueDepth};
use voelgoed_app::jobs::schedule::Schedule;
use voelgoed_jobs::RunnerSettings;

use super::fixture::{JobsFixture, LEASE, NONE, WAIT_MAX, scripted_handler, short_intervals};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_queue_does_not_delay_another_queue() {
    let fixture = JobsFixture::new().await;
    let (stuck, mut stuck_control) = scripted_handler("test.stuck");
    let (free, mut free_control) = scripted_handler("test.free");
    let settings = RunnerSettings { upkeep_workers: 2, payment_workers: 1, ..short_intervals() };
    let running = fixture.start(settings, vec![stuck, free]);
    for _ in 0..3 {
        fixture.enqueue(fixture.job("test.stuck")).await;
    }
    stuck_control.started().await;
    stuck_control.started().await;
    fixture.enqueue(NewJob { queue: Queue::Payments, ..fixture.job("test.free") }).await;
    free_control.started().await;
    free_control.outcome.send(JobOutcome::Done).unwrap();
    assert!(stuck_control.nothing_started(), "no more jobs at once than workers");
    fixture.until_depth(QueueDepth { leased: 2, ready: 1, ..NONE }).await;
    stuck_control.outcome.send(JobOutcome::Done).unwrap();
    stuck_control.started().await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn occurrence_claimed_by_eight_runners_is_one_job() {
    let fixture = JobsFixture::new().await;
    let period = Duration::from_secs(60);
    let schedule = Schedule { name: "sweep", period, kind: "test.scripted", queue: Queue::Upkeep };
    let (handler, mut control) = scripted_handler("test.scripted");
    let running: Vec<_> = (0..8)
        .map(|_| fixture.start_with(short_intervals(), vec![handler.clone() as Arc<dyn JobHandler>], vec![schedule]))
        .collect();
    for _ in 0..3 {
        let run = control.started().await;
        assert!(!run.is_last_attempt(), "a scheduled job never dies");
        // The next occurrence is dropped while this job is alive.
        fixture.environment.advance(LEASE / 2);
        fixture.until_depth(QueueDepth { leased: 1, ..NONE }).await;
        control.outcome.send(JobOutcome::Done).unwrap();
        fixture.until_depth(NONE).await;
        assert!(control.nothing_started());
        fixture.environment.advance(period);
    }
    for runner in running {
        runner.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_runner_waits_for_running_jobs_and_leases_no_more() {
    let fixture = JobsFixture::new().await;
    let (handler, mut control) = scripted_handler("test.scripted");
    let settings = RunnerSettings { drain_timeout: WAIT_MAX, upkeep_workers: 1, ..short_intervals() };
    let running = fixture.start(settings, vec![handler]);
    fixture.enqueue(fixture.job("test.scripted")).await;
    let run = control.started().await;
    fixture.enqueue(fixture.job("test.scripted")).await;
    assert!(!run.stopping().is_cancelled());
    running.stop.cancel();
    run.stopping().cancelled().await;
    control.outcome.send(JobOutcome::Done).unwrap();
    running.stop().await;
    assert_eq!(fixture.depth().await, QueueDepth { ready: 1, ..NONE });
    assert!(control.nothing_started());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn job_that_outlasts_the_drain_is_given_back_at_once() {
    let fixture = JobsFixture::new().await;
    let (handler, mut control) = scripted_handler("test.scripted");
    let running = fixture.start(short_intervals(), vec![handler]);
    fixture.enqueue(fixture.job("test.scripted")).await;
    let run = control.started().await;
    running.stop().await;
    assert_eq!(fixture.depth().await, QueueDepth { ready: 1, ..NONE }, "the job is ready before its lease would lapse");
    let leased =
        fixture.store.lease(Queue::Upkeep, &["test.scripted"], 1, fixture.environment.now(), LEASE).await.unwrap();
    assert_eq!((leased[0].id, leased[0].attempt), (run.id(), 1), "the attempt is not counted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn written_job_wakes_the_runner() {
    let fixture = JobsFixture::new().await;
    let (handler, mut control) = scripted_handler("test.scripted");
    let settings = RunnerSettings { poll_interval: WAIT_MAX * 10, ..short_intervals() };
    let running = fixture.start(settings, vec![handler]);
    for _ in 0..20 {
        fixture.enqueue(fixture.job("test.scripted")).await;
        control.started().await;
        control.outcome.send(JobOutcome::Done).unwrap();
        fixture.until_depth(NONE).await;
    }
    running.stop().await;
}
