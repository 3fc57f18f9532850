//! Starts runners on the real store in a SQLite file, with a test clock and short intervals.
//!
//! The store's timestamps come from the test clock, so leases and backoffs end when a test advances it; the loops poll in real time.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::jobs::handler::{JobContext, JobHandler, JobOutcome};
use voelgoed_app::jobs::ports::{JobStore, NewJob, Queue, QueueDepth};
use voelgoed_app::jobs::schedule::Schedule;
use voelgoed_cold::{Cold, ColdConfig};
use voelgoed_contracts::sut::TestEnvironment;
use voelgoed_contracts::test_directory::TestDirectory;
use voelgoed_jobs::{Registry, Runner, RunnerSettings};

/// Limits how long a test waits for a condition.
pub const WAIT_MAX: Duration = Duration::from_secs(10);
/// The lease of [`short_intervals`].
pub const LEASE: Duration = Duration::from_secs(30);

/// The depth of an empty queue.
pub const NONE: QueueDepth = QueueDepth { ready: 0, leased: 0, scheduled: 0, dead: 0 };

/// Settings that poll often.
pub fn short_intervals() -> RunnerSettings {
    RunnerSettings {
        lease: LEASE,
        renew_interval: Duration::from_millis(10),
        poll_interval: Duration::from_millis(5),
        drain_timeout: Duration::from_millis(200),
        end_retry_interval: Duration::from_millis(20),
        gauge_interval: Duration::from_millis(20),
        ..RunnerSettings::default()
    }
}

/// A store on which runners are started.
pub struct JobsFixture {
    pub store: Arc<Cold>,
    pub environment: Arc<TestEnvironment>,
    _directory: TestDirectory,
}

/// A running runner.
pub struct StartedRunner {
    pub stop: CancellationToken,
    task: JoinSet<()>,
}

impl StartedRunner {
    pub async fn stop(mut self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(WAIT_MAX, self.task.join_next()).await.expect("a runner stops");
        ended.unwrap().unwrap();
    }

    /// Aborts it as a dying process would: nothing more is written.
    pub async fn kill(mut self) {
        self.task.abort_all();
        assert!(self.task.join_next().await.unwrap().unwrap_err().is_cancelled());
    }
}

impl JobsFixture {
    pub async fn new() -> Self {
        let directory = TestDirectory::new("jobs");
        let environment = Arc::new(TestEnvironment::default());
        let config = ColdConfig::embedded(directory.path());
        let store = Arc::new(Cold::open(config, environment.clone()).await.unwrap());
        Self { store, environment, _directory: directory }
    }

    pub fn start(&self, settings: RunnerSettings, handlers: Vec<Arc<dyn JobHandler>>) -> StartedRunner {
        self.start_with(settings, handlers, vec![])
    }

    pub fn start_with(
        &self,
        settings: RunnerSettings,
        handlers: Vec<Arc<dyn JobHandler>>,
        schedules: Vec<Schedule>,
    ) -> StartedRunner {
        let registry = Registry::new(handlers, schedules).unwrap();
        let runner = Runner::new(self.store.clone(), self.environment.clone(), registry, settings);
        let (stop, mut task) = (CancellationToken::new(), JoinSet::new());
        task.spawn(runner.run(stop.clone()));
        StartedRunner { stop, task }
    }

    pub fn job(&self, kind: &'static str) -> NewJob {
        NewJob {
            id: new_id(&*self.environment),
            organization: None,
            kind,
            queue: Queue::Upkeep,
            payload: Value::Null,
            run_at: self.environment.now(),
            unique_key: None,
            max_attempts: 3,
        }
    }

    pub async fn enqueue(&self, job: NewJob) {
        self.store.enqueue(vec![job]).await.unwrap();
    }

    pub async fn depth(&self) -> QueueDepth {
        self.store.depth(Queue::Upkeep, self.environment.now()).await.unwrap()
    }

    /// Waits until the queue has this depth.
    pub async fn until_depth(&self, expected: QueueDepth) {
        let mut seen = self.depth().await;
        let reached = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(2));
            while seen != expected {
                ticks.tick().await;
                seen = self.depth().await;
            }
        };
        let in_time = tokio::time::timeout(WAIT_MAX, reached).await.is_ok();
        assert!(in_time, "{seen:?} instead of {expected:?}");
    }
}

/// A handler that reports each start, and returns the outcome that the test sends.
pub struct ScriptedHandler {
    kind: &'static str,
    started: mpsc::UnboundedSender<JobContext>,
    outcomes: tokio::sync::Mutex<mpsc::UnboundedReceiver<JobOutcome>>,
}

/// The test's side of a [`ScriptedHandler`].
pub struct HandlerControl {
    started: mpsc::UnboundedReceiver<JobContext>,
    pub outcome: mpsc::UnboundedSender<JobOutcome>,
}

impl HandlerControl {
    /// Waits for the next run.
    pub async fn started(&mut self) -> JobContext {
        tokio::time::timeout(WAIT_MAX, self.started.recv()).await.expect("a run starts").unwrap()
    }

    /// True where no run has started since.
    pub fn nothing_started(&mut self) -> bool {
        self.started.try_recv().is_err()
    }
}

pub fn scripted_handler(kind: &'static str) -> (Arc<ScriptedHandler>, HandlerControl) {
    let (started, starts) = mpsc::unbounded_channel();
    let (outcome, outcomes) = mpsc::unbounded_channel();
    (
        Arc::new(ScriptedHandler { kind, started, outcomes: outcomes.into() }),
        HandlerControl { started: starts, outcome },
    )
}

#[async_trait]
impl JobHandler for ScriptedHandler {
    fn kind(&self) -> &'static str {
        self.kind
    }

    async fn run(&self, job: JobContext) -> JobOutcome {
        self.started.send(job).unwrap();
        match self.outcomes.lock().await.recv().await {
            Some(JobOutcome::Cancel(reason)) if reason == "panic" => panic!("the scripted {reason}"),
            Some(outcome) => outcome,
            None => std::future::pending().await,
        }
    }
}
