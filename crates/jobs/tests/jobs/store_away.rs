//! The runner and the relay while the cold tier is away: nothing is lost, nothing spins, and it goes on by itself.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use super::away::Away;
use super::bench::{Bench, LEASE, PATIENCE, puppet, quick};
use async_trait::async_trait;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use voelgoed_app::jobs::ports::QueueDepth;
use voelgoed_app::outbox::consumer::{OutboxConsumer, ReadError};
use voelgoed_app::outbox::event::OutboxRow;
use voelgoed_app::outbox::ports::OutboxStore;
use voelgoed_contracts::catalogue;
use voelgoed_contracts::subject::Subject;
use voelgoed_jobs::{Outcome, Registry, Relay, RelaySettings, Runner, RunnerSettings};

const NONE: QueueDepth = QueueDepth { ready: 0, leased: 0, scheduled: 0, dead: 0 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outcome_that_could_not_be_written_is_written_later_or_the_job_runs_again() {
    let bench = Bench::new().await;
    let away = Away::new(bench.store.clone());
    let (handler, mut strings) = puppet("test.puppet");
    let settings = RunnerSettings { end_tries: 3, end_pause: Duration::from_millis(50), ..quick() };
    let registry = Registry::new(vec![handler], vec![]).unwrap();
    let runner = Runner::new(away.clone(), bench.environment.clone(), registry, settings);
    let (stop, mut task) = (CancellationToken::new(), JoinSet::new());
    task.spawn(runner.run(stop.clone()));

    // Away for a moment: the outcome is offered again.
    bench.enqueue(bench.job("test.puppet")).await;
    strings.started().await;
    away.goes();
    strings.answer.send(Outcome::Done).unwrap();
    away.comes_back();
    bench.until(NONE).await;

    // Away for longer: the lease lapses, and the job runs a second time.
    bench.enqueue(bench.job("test.puppet")).await;
    let first = strings.started().await;
    away.goes();
    let mut refused = away.ends_refused();
    let given_up = *refused.borrow() + settings.end_tries;
    strings.answer.send(Outcome::Done).unwrap();
    tokio::time::timeout(PATIENCE, refused.wait_for(|times| *times == given_up)).await.unwrap().unwrap();
    assert_eq!(bench.depth().await, QueueDepth { leased: 1, ..NONE });
    away.comes_back();
    bench.environment.advance(LEASE);
    let second = strings.started().await;
    assert_eq!((second.id(), second.attempt()), (first.id(), 2));
    strings.answer.send(Outcome::Done).unwrap();
    bench.until(NONE).await;
    stop.cancel();
    tokio::time::timeout(PATIENCE, task.join_next()).await.unwrap().unwrap().unwrap();
}

/// Accepts everything; after the first row of a test it switches the store off.
struct SwitchesOff {
    away: Arc<Away>,
    read: Mutex<Vec<u32>>,
}

#[async_trait]
impl OutboxConsumer for SwitchesOff {
    fn name(&self) -> &'static str {
        "switches off"
    }
    async fn read(&self, row: &OutboxRow) -> Result<(), ReadError> {
        let mut read = self.read.lock().unwrap();
        if read.is_empty() {
            self.away.goes();
        }
        read.push(row.version);
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn marks_that_could_not_be_written_are_written_later() {
    let bench = Bench::new().await;
    let away = Away::new(bench.store.clone());
    let (store, environment) = (bench.store.clone(), bench.environment.clone());
    let subject = Subject { store, environment, keep: Box::new(()) };
    let organization = catalogue::organization(&subject).await;
    catalogue::event(&subject, organization).await;
    let reader = Arc::new(SwitchesOff { away: away.clone(), read: Mutex::default() });
    let settings = RelaySettings { poll_every: Duration::from_millis(5), ..RelaySettings::default() };
    let relay = Relay::new(away.clone(), bench.environment.clone(), vec![reader.clone()], settings);
    let (stop, mut task) = (CancellationToken::new(), JoinSet::new());
    task.spawn(relay.run(stop.clone()));
    let pending = |expected: u64| {
        let bench = &bench;
        let now = voelgoed_app::environment::Environment::now(&*bench.environment);
        let reached = async move {
            let mut ticks = tokio::time::interval(Duration::from_millis(2));
            while bench.store.pending(now).await.unwrap().0 != expected {
                ticks.tick().await;
            }
        };
        tokio::time::timeout(PATIENCE, reached)
    };
    let read_once = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(2));
        while reader.read.lock().unwrap().is_empty() {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, read_once).await.unwrap();
    assert!(pending(1).await.is_ok(), "read, and not yet marked");
    away.comes_back();
    assert!(pending(0).await.is_ok());
    assert_eq!(*reader.read.lock().unwrap(), [1], "the lease lasted: it was not read a second time");
    catalogue::event(&subject, organization).await;
    assert!(pending(0).await.is_ok(), "and it goes on");
    stop.cancel();
    tokio::time::timeout(PATIENCE, task.join_next()).await.unwrap().unwrap().unwrap();
}
