//! What the tests of this crate stand on: the real store on a SQLite file, a clock of their own, spans short enough to wait for.
//!
//! The store's moments come from the test's clock, so leases and pauses end when a test says so; the loops' own polling runs in real time.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::jobs::ports::{JobStore, NewJob, Queue, QueueDepth};
use voelgoed_cold::{Cold, ColdConfig};
use voelgoed_contracts::directory::Directory;
use voelgoed_contracts::subject::TestEnvironment;
use voelgoed_jobs::{JobContext, JobHandler, Outcome, Registry, Runner, RunnerSettings, Schedule};

/// The longest that a test waits for what must happen.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// The lease of [`quick`].
pub const LEASE: Duration = Duration::from_secs(30);

/// Settings that poll often.
pub fn quick() -> RunnerSettings {
    RunnerSettings {
        lease: LEASE,
        renew_every: Duration::from_millis(10),
        poll_every: Duration::from_millis(5),
        drain: Duration::from_millis(200),
        end_pause: Duration::from_millis(20),
        gauge_every: Duration::from_millis(20),
        ..RunnerSettings::default()
    }
}

/// A store, and the runners that were started on it.
pub struct Bench {
    pub store: Arc<Cold>,
    pub environment: Arc<TestEnvironment>,
    _directory: Directory,
}

/// A runner that runs.
pub struct Running {
    pub stop: CancellationToken,
    task: JoinSet<()>,
}

impl Running {
    pub async fn stopped(mut self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(PATIENCE, self.task.join_next()).await.expect("a runner stops");
        ended.unwrap().unwrap();
    }

    /// As a process that dies: nothing more is written.
    pub async fn killed(mut self) {
        self.task.abort_all();
        assert!(self.task.join_next().await.unwrap().unwrap_err().is_cancelled());
    }
}

impl Bench {
    pub async fn new() -> Self {
        let directory = Directory::new("jobs");
        let environment = Arc::new(TestEnvironment::default());
        let config = ColdConfig::embedded(directory.path());
        let store = Arc::new(Cold::open(config, environment.clone()).await.unwrap());
        Self { store, environment, _directory: directory }
    }

    pub fn start(&self, settings: RunnerSettings, handlers: Vec<Arc<dyn JobHandler>>) -> Running {
        self.start_with(settings, handlers, vec![])
    }

    pub fn start_with(
        &self,
        settings: RunnerSettings,
        handlers: Vec<Arc<dyn JobHandler>>,
        schedules: Vec<Schedule>,
    ) -> Running {
        let registry = Registry::new(handlers, schedules).unwrap();
        let runner = Runner::new(self.store.clone(), self.environment.clone(), registry, settings);
        let (stop, mut task) = (CancellationToken::new(), JoinSet::new());
        task.spawn(runner.run(stop.clone()));
        Running { stop, task }
    }

    pub fn job(&self, kind: &'static str) -> NewJob {
        NewJob {
            id: fresh(&*self.environment),
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

    /// Waits until the queue stands so.
    pub async fn until(&self, expected: QueueDepth) {
        let mut seen = self.depth().await;
        let reached = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(2));
            while seen != expected {
                ticks.tick().await;
                seen = self.depth().await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, reached).await.is_ok();
        assert!(in_time, "{seen:?} instead of {expected:?}");
    }
}

/// A handler that says when it starts, and answers what it is told.
pub struct Puppet {
    kind: &'static str,
    started: mpsc::UnboundedSender<JobContext>,
    answers: tokio::sync::Mutex<mpsc::UnboundedReceiver<Outcome>>,
}

/// The strings of a [`Puppet`].
pub struct Strings {
    started: mpsc::UnboundedReceiver<JobContext>,
    pub answer: mpsc::UnboundedSender<Outcome>,
}

impl Strings {
    /// The next run that starts.
    pub async fn started(&mut self) -> JobContext {
        tokio::time::timeout(PATIENCE, self.started.recv()).await.expect("a run starts").unwrap()
    }

    /// True where no run has started meanwhile.
    pub fn nothing_started(&mut self) -> bool {
        self.started.try_recv().is_err()
    }
}

pub fn puppet(kind: &'static str) -> (Arc<Puppet>, Strings) {
    let (started, starts) = mpsc::unbounded_channel();
    let (answer, answers) = mpsc::unbounded_channel();
    (Arc::new(Puppet { kind, started, answers: answers.into() }), Strings { started: starts, answer })
}

#[async_trait]
impl JobHandler for Puppet {
    fn kind(&self) -> &'static str {
        self.kind
    }

    async fn run(&self, job: JobContext) -> Outcome {
        self.started.send(job).unwrap();
        match self.answers.lock().await.recv().await {
            Some(Outcome::Cancel(reason)) if reason == "panic" => panic!("the puppet's {reason}"),
            Some(outcome) => outcome,
            None => std::future::pending().await,
        }
    }
}
