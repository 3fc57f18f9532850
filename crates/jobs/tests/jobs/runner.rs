//! The runner on the real store: outcomes, crashes, lost leases, bulkheads, schedules, the drain.

use std::sync::Arc;
use std::time::Duration;

use super::bench::{Bench, LEASE, PATIENCE, puppet, quick};
use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;
use voelgoed_app::environment::Environment;
use voelgoed_app::jobs::ports::{JobEnd, JobStore, NewJob, Queue, QueueDepth};
use voelgoed_jobs::{JobContext, JobHandler, Outcome, RunnerSettings, Schedule, backoff};

const NONE: QueueDepth = QueueDepth { ready: 0, leased: 0, scheduled: 0, dead: 0 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_outcome_leaves_the_row_as_its_table_says() {
    let bench = Bench::new().await;
    let (handler, mut strings) = puppet("test.puppet");
    let running = bench.start(quick(), vec![handler]);
    for (outcome, left) in [
        (Outcome::Done, NONE),
        (Outcome::Cancel("moot".into()), NONE),
        (Outcome::Snooze(LEASE), QueueDepth { scheduled: 1, ..NONE }),
        (Outcome::Retry("no luck".into()), QueueDepth { scheduled: 2, ..NONE }),
        (Outcome::Dead("never".into()), QueueDepth { scheduled: 2, dead: 1, ..NONE }),
    ] {
        bench.enqueue(bench.job("test.puppet")).await;
        strings.started().await;
        strings.answer.send(outcome).unwrap();
        bench.until(left).await;
    }
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_is_tried_again_after_a_stored_pause_and_is_dead_at_last() {
    let bench = Bench::new().await;
    let (handler, mut strings) = puppet("test.puppet");
    let mut running = bench.start(quick(), vec![handler]);
    bench.enqueue(bench.job("test.puppet")).await;
    for attempt in 1..=3 {
        let run = strings.started().await;
        assert_eq!((run.attempt(), run.is_last_attempt()), (attempt, attempt == 3));
        assert_eq!(run.last_error(), (attempt > 1).then_some("no luck"));
        strings.answer.send(Outcome::Retry("no luck".into())).unwrap();
        let left = if attempt == 3 { QueueDepth { dead: 1, ..NONE } } else { QueueDepth { scheduled: 1, ..NONE } };
        bench.until(left).await;
        // Another process finds the same pause: it is in the row.
        running.stopped().await;
        let (handler, fresh) = puppet("test.puppet");
        running = bench.start(quick(), vec![handler]);
        strings = fresh;
        bench.environment.advance(backoff::SHORTEST - Duration::from_micros(1));
        assert!(strings.nothing_started());
        bench.environment.advance(backoff::ceiling(attempt));
    }
    let dead = bench.store.dead(10).await.unwrap();
    assert_eq!((dead.len(), dead[0].last_error.as_deref()), (1, Some("no luck")));
    assert!(bench.store.revive(dead[0].id, bench.environment.now()).await.unwrap());
    assert_eq!(strings.started().await.attempt(), 1, "a person looked");
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_dies_between_run_and_end_leaves_the_job_to_another() {
    let bench = Bench::new().await;
    let (handler, mut strings) = puppet("test.puppet");
    let running = bench.start(quick(), vec![handler]);
    bench.enqueue(bench.job("test.puppet")).await;
    let first = strings.started().await;
    running.killed().await;
    let (handler, mut strings) = puppet("test.puppet");
    let running = bench.start(quick(), vec![handler]);
    bench.until(QueueDepth { leased: 1, ..NONE }).await;
    assert!(strings.nothing_started(), "the dead process's lease lasts");
    bench.environment.advance(LEASE);
    let second = strings.started().await;
    assert_eq!((second.id(), second.attempt()), (first.id(), 2));
    strings.answer.send(Outcome::Done).unwrap();
    bench.until(NONE).await;
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_lost_the_lease_is_dropped_and_changes_nothing() {
    let bench = Bench::new().await;
    let (handler, mut strings) = puppet("test.puppet");
    // This runner renews too late, as if its process had been suspended; and it is full, so that it does not take its own job over.
    let slow = RunnerSettings { renew_every: PATIENCE * 10, upkeep_workers: 1, ..quick() };
    let running = bench.start(slow, vec![handler]);
    bench.enqueue(bench.job("test.puppet")).await;
    strings.started().await;
    let now = bench.environment.advance(LEASE);
    let taken = bench.store.lease(Queue::Upkeep, &["test.puppet"], 10, now, LEASE * 10).await.unwrap();
    let [later] = &taken[..] else { panic!("{taken:?}") };
    assert_eq!(later.attempt, 2);
    strings.answer.send(Outcome::Done).unwrap();
    running.stopped().await;
    assert_eq!(bench.depth().await, QueueDepth { leased: 1, ..NONE }, "its `Done` was refused");
    assert!(bench.store.end(later.id, later.lease, JobEnd::Done, now).await.unwrap(), "the later holder decides");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_lease_is_lost_is_cut_off() {
    let bench = Bench::new().await;
    let (handler, mut strings) = puppet("test.puppet");
    let running = bench.start(quick(), vec![handler]);
    bench.enqueue(bench.job("test.puppet")).await;
    let run = strings.started().await;
    // Somebody ends the job behind its back: the next renewal is refused, and the handler's future dropped.
    let mut tx = bench.store.db().begin(voelgoed_cold::db::System::Jobs).await.unwrap();
    let delete = voelgoed_cold::db::sql("test.delete", "delete from jobs where kind = 'test.puppet'");
    assert_eq!(tx.execute(delete, vec![]).await.unwrap(), 1);
    tx.commit().await.unwrap();
    // A dropped run leaves the puppet's answers to the next one.
    bench.enqueue(bench.job("test.puppet")).await;
    let next = strings.started().await;
    assert_ne!(run.id(), next.id());
    let dropped = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(2));
        loop {
            ticks.tick().await;
            strings.answer.send(Outcome::Done).unwrap();
            if bench.depth().await == NONE {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, dropped).await.unwrap();
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_run_keeps_its_lease() {
    let bench = Bench::new().await;
    let (handler, mut strings) = puppet("test.puppet");
    let running = bench.start(quick(), vec![handler]);
    bench.enqueue(bench.job("test.puppet")).await;
    strings.started().await;
    for _ in 0..5 {
        // Each step is less than a lease, all together are more; between them a renewal is due.
        let now = bench.environment.advance(LEASE / 2);
        let renewed = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(2));
            let almost = now.plus(LEASE - Duration::from_micros(1));
            while bench.store.depth(Queue::Upkeep, almost).await.unwrap().leased == 0 {
                ticks.tick().await;
            }
        };
        tokio::time::timeout(PATIENCE, renewed).await.expect("the lease is renewed");
    }
    assert!(strings.nothing_started());
    strings.answer.send(Outcome::Done).unwrap();
    bench.until(NONE).await;
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_and_a_run_without_end_are_failures() {
    let bench = Bench::new().await;
    let (handler, mut strings) = puppet("test.puppet");
    let settings = RunnerSettings { run_limit: Duration::from_secs(2), ..quick() };
    let running = bench.start(settings, vec![handler]);
    for (answer, error) in [
        (Some(Outcome::Cancel("panic".into())), "the handler panicked: the puppet's panic"),
        (None, "the run took longer than 2 s"),
    ] {
        bench.enqueue(NewJob { max_attempts: 1, ..bench.job("test.puppet") }).await;
        strings.started().await;
        if let Some(answer) = answer {
            strings.answer.send(answer).unwrap();
        }
        bench.until(QueueDepth { dead: 1, ..NONE }).await;
        let dead = bench.store.dead(10).await.unwrap().remove(0);
        assert_eq!(dead.last_error.as_deref(), Some(error));
        assert!(bench.store.revive(dead.id, bench.environment.now()).await.unwrap());
        strings.started().await;
        strings.answer.send(Outcome::Done).unwrap();
        bench.until(NONE).await;
    }
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn job_of_unknown_kind_waits_for_a_node_that_runs_it_and_others_do_not_wait() {
    let bench = Bench::new().await;
    let (old, mut old_strings) = puppet("test.puppet");
    let old_node = bench.start(quick(), vec![old]);
    bench.enqueue(bench.job("test.newer")).await;
    for _ in 0..5 {
        bench.enqueue(bench.job("test.puppet")).await;
        old_strings.started().await;
        old_strings.answer.send(Outcome::Done).unwrap();
    }
    bench.until(QueueDepth { ready: 1, ..NONE }).await;
    let unreadable = bench.store.unreadable(&["test.puppet"], bench.environment.now(), 10).await.unwrap();
    assert_eq!(unreadable.len(), 1);
    assert_eq!(unreadable[0].reason, "this program does not run jobs of kind `test.newer`");
    let (new, mut new_strings) = puppet("test.newer");
    let new_node = bench.start(quick(), vec![new]);
    assert_eq!(new_strings.started().await.attempt(), 1, "the node that does not know it burned no attempt");
    new_strings.answer.send(Outcome::Done).unwrap();
    bench.until(NONE).await;
    old_node.stopped().await;
    new_node.stopped().await;
}

struct Typed;

#[derive(Deserialize)]
struct TypedV1 {
    number: u32,
}

#[async_trait]
impl JobHandler for Typed {
    fn kind(&self) -> &'static str {
        "test.typed"
    }
    async fn run(&self, job: JobContext) -> Outcome {
        match job.payload::<TypedV1>() {
            Ok(payload) if payload.number == 7 => Outcome::Done,
            Ok(payload) => Outcome::Retry(format!("{} instead of 7", payload.number)),
            Err(outcome) => outcome,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn job_whose_payload_cannot_be_read_is_put_off_without_an_attempt() {
    let bench = Bench::new().await;
    let running = bench.start(quick(), vec![Arc::new(Typed)]);
    bench.enqueue(NewJob { payload: json!({"number": 7}), ..bench.job("test.typed") }).await;
    bench.until(NONE).await;
    bench.enqueue(NewJob { payload: json!({"numero": 7}), ..bench.job("test.typed") }).await;
    // As often as it has attempts, and more: it never dies of it.
    for _ in 0..5 {
        bench.until(QueueDepth { scheduled: 1, ..NONE }).await;
        let now = bench.environment.now();
        let unreadable = bench.store.unreadable(&["test.typed"], now, 10).await.unwrap();
        assert!(unreadable[0].reason.contains("missing field `number`"), "{unreadable:?}");
        bench.enqueue(NewJob { payload: json!({"number": 7}), ..bench.job("test.typed") }).await;
        bench.until(QueueDepth { scheduled: 1, ..NONE }).await;
        bench.environment.advance(quick().unreadable_pause);
    }
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_does_not_hold_up_another() {
    let bench = Bench::new().await;
    let (stuck, mut stuck_strings) = puppet("test.stuck");
    let (free, mut free_strings) = puppet("test.free");
    let settings = RunnerSettings { upkeep_workers: 2, payment_workers: 1, ..quick() };
    let running = bench.start(settings, vec![stuck, free]);
    for _ in 0..3 {
        bench.enqueue(bench.job("test.stuck")).await;
    }
    stuck_strings.started().await;
    stuck_strings.started().await;
    bench.enqueue(NewJob { queue: Queue::Payments, ..bench.job("test.free") }).await;
    free_strings.started().await;
    free_strings.answer.send(Outcome::Done).unwrap();
    assert!(stuck_strings.nothing_started(), "no more at once than workers");
    bench.until(QueueDepth { leased: 2, ready: 1, ..NONE }).await;
    stuck_strings.answer.send(Outcome::Done).unwrap();
    stuck_strings.started().await;
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_occurrence_of_eight_runners_is_one_job() {
    let bench = Bench::new().await;
    let period = Duration::from_secs(60);
    let schedule = Schedule { name: "sweep", period, kind: "test.puppet", queue: Queue::Upkeep };
    let (handler, mut strings) = puppet("test.puppet");
    let running: Vec<_> = (0..8)
        .map(|_| bench.start_with(quick(), vec![handler.clone() as Arc<dyn JobHandler>], vec![schedule]))
        .collect();
    for _ in 0..3 {
        let run = strings.started().await;
        assert!(!run.is_last_attempt(), "a schedule's job never dies");
        // The next occurrence finds this one living and is dropped.
        bench.environment.advance(LEASE / 2);
        bench.until(QueueDepth { leased: 1, ..NONE }).await;
        strings.answer.send(Outcome::Done).unwrap();
        bench.until(NONE).await;
        assert!(strings.nothing_started());
        bench.environment.advance(period);
    }
    for runner in running {
        runner.stopped().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopping_runner_waits_for_what_runs_and_takes_nothing_more() {
    let bench = Bench::new().await;
    let (handler, mut strings) = puppet("test.puppet");
    let settings = RunnerSettings { drain: PATIENCE, upkeep_workers: 1, ..quick() };
    let running = bench.start(settings, vec![handler]);
    bench.enqueue(bench.job("test.puppet")).await;
    let run = strings.started().await;
    bench.enqueue(bench.job("test.puppet")).await;
    assert!(!run.stopping().is_cancelled());
    running.stop.cancel();
    run.stopping().cancelled().await;
    strings.answer.send(Outcome::Done).unwrap();
    running.stopped().await;
    assert_eq!(bench.depth().await, QueueDepth { ready: 1, ..NONE });
    assert!(strings.nothing_started());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_outlasts_the_drain_is_given_back_at_once() {
    let bench = Bench::new().await;
    let (handler, mut strings) = puppet("test.puppet");
    let running = bench.start(quick(), vec![handler]);
    bench.enqueue(bench.job("test.puppet")).await;
    let run = strings.started().await;
    running.stopped().await;
    assert_eq!(bench.depth().await, QueueDepth { ready: 1, ..NONE }, "nobody waits for the lease to lapse");
    let leased = bench.store.lease(Queue::Upkeep, &["test.puppet"], 1, bench.environment.now(), LEASE).await.unwrap();
    assert_eq!((leased[0].id, leased[0].attempt), (run.id(), 1), "and the attempt does not count");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_written_job_wakes_the_runner() {
    let bench = Bench::new().await;
    let (handler, mut strings) = puppet("test.puppet");
    let settings = RunnerSettings { poll_every: PATIENCE * 10, ..quick() };
    let running = bench.start(settings, vec![handler]);
    for _ in 0..20 {
        bench.enqueue(bench.job("test.puppet")).await;
        strings.started().await;
        strings.answer.send(Outcome::Done).unwrap();
        bench.until(NONE).await;
    }
    running.stopped().await;
}
