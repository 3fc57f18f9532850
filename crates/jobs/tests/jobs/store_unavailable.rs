//! Tests that the runner and the relay lose nothing while the cold tier is unavailable, and resume by themselves.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use voelgoed_app::jobs::handler::JobOutcome;
use voelgoed_app::jobs::ports::QueueDepth;
use voelgoed_app::outbox::consumer::{ConsumeError, OutboxConsumer};
use voelgoed_app::outbox::event::OutboxRow;
use voelgoed_app::outbox::ports::OutboxStore;
use voelgoed_contracts::catalog_fixtures;
use voelgoed_contracts::sut::Sut;
use voelgoed_jobs::{Registry, Relay, RelaySettings, Runner, RunnerSettings};

use super::fixture::{JobsFixture, LEASE, NONE, WAIT_MAX, scripted_handler, short_intervals};
use super::switchable_store::SwitchableStore;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outcome_is_written_after_a_short_outage_and_the_job_runs_again_after_a_long_one() {
    let fixture = JobsFixture::new().await;
    let store = SwitchableStore::new(fixture.store.clone());
    let (handler, mut control) = scripted_handler("test.scripted");
    let settings =
        RunnerSettings { end_attempts_max: 3, end_retry_interval: Duration::from_millis(50), ..short_intervals() };
    let registry = Registry::new(vec![handler], vec![]).unwrap();
    let runner = Runner::new(store.clone(), fixture.environment.clone(), registry, settings);
    let (stop, mut task) = (CancellationToken::new(), JoinSet::new());
    task.spawn(runner.run(stop.clone()));

    // A short outage: writing the outcome is retried.
    fixture.enqueue(fixture.job("test.scripted")).await;
    control.started().await;
    store.make_unavailable();
    control.outcome.send(JobOutcome::Done).unwrap();
    store.make_available();
    fixture.until_depth(NONE).await;

    // A long outage: the lease lapses, and the job runs a second time.
    fixture.enqueue(fixture.job("test.scripted")).await;
    let first = control.started().await;
    store.make_unavailable();
    let mut refused = store.ends_refused();
    let given_up = *refused.borrow() + settings.end_attempts_max;
    control.outcome.send(JobOutcome::Done).unwrap();
    tokio::time::timeout(WAIT_MAX, refused.wait_for(|times| *times == given_up)).await.unwrap().unwrap();
    assert_eq!(fixture.depth().await, QueueDepth { leased: 1, ..NONE });
    store.make_available();
    fixture.environment.advance(LEASE);
    let second = control.started().await;
    assert_eq!((second.id(), second.attempt()), (first.id(), 2));
    control.outcome.send(JobOutcome::Done).unwrap();
    fixture.until_depth(NONE).await;
    stop.cancel();
    tokio::time::timeout(WAIT_MAX, task.join_next()).await.unwrap().unwrap().unwrap();
}

/// Accepts every row; the first one makes the store unavailable.
struct SwitchesStoreOff {
    store: Arc<SwitchableStore>,
    read: Mutex<Vec<u32>>,
}

#[async_trait]
impl OutboxConsumer for SwitchesStoreOff {
    fn name(&self) -> &'static str {
        "switches the store off"
    }
    async fn consume(&self, row: &OutboxRow) -> Result<(), ConsumeError> {
        let mut read = self.read.lock().unwrap();
        if read.is_empty() {
            self.store.make_unavailable();
        }
        read.push(row.version);
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn delivery_marks_are_written_after_an_outage() {
    let fixture = JobsFixture::new().await;
    let store = SwitchableStore::new(fixture.store.clone());
    let environment = fixture.environment.clone();
    let sut = Sut { store: fixture.store.clone(), environment, keep: Box::new(()) };
    let organization = catalog_fixtures::stored_organization(&sut).await;
    catalog_fixtures::stored_event(&sut, organization).await;
    let consumer = Arc::new(SwitchesStoreOff { store: store.clone(), read: Mutex::default() });
    let settings = RelaySettings { poll_interval: Duration::from_millis(5), ..RelaySettings::default() };
    let relay = Relay::new(store.clone(), fixture.environment.clone(), vec![consumer.clone()], settings);
    let (stop, mut task) = (CancellationToken::new(), JoinSet::new());
    task.spawn(relay.run(stop.clone()));
    let pending = |expected: u64| {
        let fixture = &fixture;
        let now = voelgoed_app::environment::Environment::now(&*fixture.environment);
        let reached = async move {
            let mut ticks = tokio::time::interval(Duration::from_millis(2));
            while fixture.store.pending(now).await.unwrap().0 != expected {
                ticks.tick().await;
            }
        };
        tokio::time::timeout(WAIT_MAX, reached)
    };
    let read_once = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(2));
        while consumer.read.lock().unwrap().is_empty() {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(WAIT_MAX, read_once).await.unwrap();
    assert!(pending(1).await.is_ok(), "the row was consumed and is not marked yet");
    store.make_available();
    assert!(pending(0).await.is_ok());
    assert_eq!(*consumer.read.lock().unwrap(), [1], "the lease had not lapsed, so the row was not consumed twice");
    catalog_fixtures::stored_event(&sut, organization).await;
    assert!(pending(0).await.is_ok(), "later rows are relayed");
    stop.cancel();
    tokio::time::timeout(WAIT_MAX, task.join_next()).await.unwrap().unwrap().unwrap();
}
