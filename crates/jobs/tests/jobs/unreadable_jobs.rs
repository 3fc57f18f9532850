//! Tests that an unreadable job waits for a newer node while other jobs run, and that the wait counts as no attempt.

use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;
use voelgoed_app::environment::Environment;
use voelgoed_app::jobs::handler::{JobContext, JobHandler, JobOutcome};
use voelgoed_app::jobs::ports::{JobStore, NewJob, QueueDepth};

use super::fixture::{JobsFixture, NONE, scripted_handler, short_intervals};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn job_of_unknown_kind_waits_for_a_node_with_its_handler_and_delays_no_other_job() {
    let fixture = JobsFixture::new().await;
    let (old, mut old_control) = scripted_handler("test.scripted");
    let old_node = fixture.start(short_intervals(), vec![old]);
    fixture.enqueue(fixture.job("test.newer")).await;
    for _ in 0..5 {
        fixture.enqueue(fixture.job("test.scripted")).await;
        old_control.started().await;
        old_control.outcome.send(JobOutcome::Done).unwrap();
    }
    fixture.until_depth(QueueDepth { ready: 1, ..NONE }).await;
    let unreadable = fixture.store.unreadable(&["test.scripted"], fixture.environment.now(), 10).await.unwrap();
    assert_eq!(unreadable.len(), 1);
    assert_eq!(unreadable[0].reason, "this program does not run jobs of kind `test.newer`");
    let (new, mut new_control) = scripted_handler("test.newer");
    let new_node = fixture.start(short_intervals(), vec![new]);
    assert_eq!(new_control.started().await.attempt(), 1, "the node without its handler used no attempt");
    new_control.outcome.send(JobOutcome::Done).unwrap();
    fixture.until_depth(NONE).await;
    old_node.stop().await;
    new_node.stop().await;
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
    async fn run(&self, job: JobContext) -> JobOutcome {
        match job.payload::<TypedV1>() {
            Ok(payload) if payload.number == 7 => JobOutcome::Done,
            Ok(payload) => JobOutcome::Retry(format!("{} instead of 7", payload.number)),
            Err(outcome) => outcome,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn job_with_unreadable_payload_is_postponed_without_counting_an_attempt() {
    let fixture = JobsFixture::new().await;
    let running = fixture.start(short_intervals(), vec![Arc::new(Typed)]);
    fixture.enqueue(NewJob { payload: json!({"number": 7}), ..fixture.job("test.typed") }).await;
    fixture.until_depth(NONE).await;
    fixture.enqueue(NewJob { payload: json!({"numero": 7}), ..fixture.job("test.typed") }).await;
    // More often than it has attempts: an unreadable job never dies.
    for _ in 0..5 {
        fixture.until_depth(QueueDepth { scheduled: 1, ..NONE }).await;
        let now = fixture.environment.now();
        let unreadable = fixture.store.unreadable(&["test.typed"], now, 10).await.unwrap();
        assert!(unreadable[0].reason.contains("missing field `number`"), "{unreadable:?}");
        fixture.enqueue(NewJob { payload: json!({"number": 7}), ..fixture.job("test.typed") }).await;
        fixture.until_depth(QueueDepth { scheduled: 1, ..NONE }).await;
        fixture.environment.advance(short_intervals().unreadable_retry_interval);
    }
    running.stop().await;
}
