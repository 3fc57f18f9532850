//! The relay on the real store: at least once, in each aggregate's order, nobody waits for a row that cannot be read.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use voelgoed_app::catalog::ports::CatalogStore;
use voelgoed_app::environment::Environment;
use voelgoed_app::outbox::consumer::{OutboxConsumer, ReadError};
use voelgoed_app::outbox::event::OutboxRow;
use voelgoed_app::outbox::ports::OutboxStore;
use voelgoed_app::ticketing::ports::InventoryError;
use voelgoed_cold::{Cold, ColdConfig};
use voelgoed_contracts::catalogue;
use voelgoed_contracts::directory::Directory;
use voelgoed_contracts::subject::{Subject, TestEnvironment};
use voelgoed_domain::catalog::event::Event;
use voelgoed_jobs::{Relay, RelaySettings};

const PATIENCE: Duration = Duration::from_secs(10);

/// Notes what it accepted; answers `unloaded` for an aggregate that it is told to, and hangs or panics on demand.
#[derive(Default)]
struct Notes {
    accepted: Mutex<BTreeMap<Uuid, Vec<u32>>>,
    refused: Mutex<u32>,
    unloaded: Mutex<Option<Uuid>>,
    hangs: AtomicBool,
    panics: AtomicBool,
}

#[async_trait]
impl OutboxConsumer for Notes {
    fn name(&self) -> &'static str {
        "notes"
    }

    async fn read(&self, row: &OutboxRow) -> Result<(), ReadError> {
        if *self.unloaded.lock().unwrap() == Some(row.aggregate) {
            *self.refused.lock().unwrap() += 1;
            if self.hangs.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            assert!(!self.panics.load(Ordering::SeqCst), "the reader's panic");
            return Err(InventoryError::Unloaded.into());
        }
        self.accepted.lock().unwrap().entry(row.aggregate).or_default().push(row.version);
        Ok(())
    }
}

impl Notes {
    fn of(&self, event: &Event) -> Vec<u32> {
        self.accepted.lock().unwrap().get(&event.id.uuid()).cloned().unwrap_or_default()
    }
}

struct Bench {
    subject: Subject<Cold>,
    notes: Arc<Notes>,
}

impl Bench {
    async fn new() -> Self {
        let directory = Directory::new("relay");
        let environment = Arc::new(TestEnvironment::default());
        let config = ColdConfig::embedded(directory.path());
        let store = Arc::new(Cold::open(config, environment.clone()).await.unwrap());
        let subject = Subject { store, environment, keep: Box::new(directory) };
        Self { subject, notes: Arc::default() }
    }

    async fn events<const N: usize>(&self) -> [Event; N] {
        let organization = catalogue::organization(&self.subject).await;
        let mut events = Vec::new();
        for _ in 0..N {
            events.push(catalogue::event(&self.subject, organization).await);
        }
        events.try_into().unwrap()
    }

    async fn change(&self, event: &Event) {
        let ticket_type = catalogue::a_ticket_type(&self.subject.environment, event.id);
        let now = self.subject.environment.now();
        let created = self.subject.store.create_ticket_type(event.organization, ticket_type, now, None).await;
        catalogue::made(created.unwrap());
    }

    fn start(
        &self,
        settings: RelaySettings,
        readers: Vec<Arc<dyn OutboxConsumer>>,
    ) -> (CancellationToken, JoinSet<()>) {
        let relay = Relay::new(self.subject.store.clone(), self.subject.environment.clone(), readers, settings);
        let (stop, mut task) = (CancellationToken::new(), JoinSet::new());
        task.spawn(relay.run(stop.clone()));
        (stop, task)
    }

    fn start_notes(&self) -> (CancellationToken, JoinSet<()>) {
        self.start(quick(), vec![self.notes.clone()])
    }

    async fn pending(&self) -> u64 {
        self.subject.store.pending(self.subject.environment.now()).await.unwrap().0
    }

    /// Waits until so many rows are undelivered; the clock goes on, so that pauses end.
    async fn until_pending(&self, expected: u64) {
        let reached = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(2));
            while self.pending().await != expected {
                ticks.tick().await;
                self.subject.environment.advance(Duration::from_millis(2));
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, reached).await.is_ok();
        assert!(in_time, "{} instead of {expected} are pending", self.pending().await);
    }
}

fn quick() -> RelaySettings {
    RelaySettings {
        poll_every: Duration::from_millis(5),
        gauge_every: Duration::from_millis(20),
        first_pause: Duration::from_millis(10),
        longest_pause: Duration::from_millis(50),
        drain: Duration::from_millis(200),
        ..RelaySettings::default()
    }
}

async fn stopped((stop, mut task): (CancellationToken, JoinSet<()>)) {
    stop.cancel();
    tokio::time::timeout(PATIENCE, task.join_next()).await.expect("a relay stops").unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_reader_hears_each_fact_once_in_order() {
    let bench = Bench::new().await;
    let second = Arc::new(Notes::default());
    let relay =
        bench.start(RelaySettings { poll_every: PATIENCE * 10, ..quick() }, vec![bench.notes.clone(), second.clone()]);
    let [a, b] = bench.events().await;
    for _ in 0..20 {
        bench.change(&a).await;
        bench.change(&b).await;
    }
    bench.until_pending(0).await;
    for event in [&a, &b] {
        assert_eq!(bench.notes.of(event), (1..=21).collect::<Vec<_>>());
        assert_eq!(second.of(event), (1..=21).collect::<Vec<_>>());
    }
    stopped(relay).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_unloaded_is_never_acknowledged_and_holds_up_nobody_else() {
    let bench = Bench::new().await;
    let [poison, healthy] = bench.events().await;
    *bench.notes.unloaded.lock().unwrap() = Some(poison.id.uuid());
    let relay = bench.start_notes();
    for _ in 0..5 {
        bench.change(&poison).await;
        bench.change(&healthy).await;
    }
    bench.until_pending(6).await;
    assert_eq!(bench.notes.of(&healthy), (1..=6).collect::<Vec<_>>());
    let tried = || *bench.notes.refused.lock().unwrap();
    let so_far = tried();
    let tried_again = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(2));
        while tried() < so_far + 3 {
            ticks.tick().await;
            bench.subject.environment.advance(Duration::from_millis(10));
        }
    };
    tokio::time::timeout(PATIENCE, tried_again).await.expect("it is offered again and again");
    assert_eq!(bench.pending().await, 6);
    assert!(bench.notes.of(&poison).is_empty(), "nothing behind it overtook");
    *bench.notes.unloaded.lock().unwrap() = None;
    bench.until_pending(0).await;
    assert_eq!(bench.notes.of(&poison), (1..=6).collect::<Vec<_>>());
    stopped(relay).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_panics_or_hangs_is_a_reader_that_said_later() {
    for (panics, hangs) in [(true, false), (false, true)] {
        let bench = Bench::new().await;
        bench.notes.panics.store(panics, Ordering::SeqCst);
        bench.notes.hangs.store(hangs, Ordering::SeqCst);
        let [poison, healthy] = bench.events().await;
        *bench.notes.unloaded.lock().unwrap() = Some(poison.id.uuid());
        let settings = RelaySettings { read_limit: Duration::from_millis(100), ..quick() };
        let relay = bench.start(settings, vec![bench.notes.clone()]);
        for _ in 0..3 {
            bench.change(&healthy).await;
        }
        bench.until_pending(1).await;
        assert_eq!(bench.notes.of(&healthy), [1, 2, 3, 4]);
        *bench.notes.unloaded.lock().unwrap() = None;
        bench.until_pending(0).await;
        assert_eq!(bench.notes.of(&poison), [1]);
        stopped(relay).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_dies_after_reading_has_its_rows_read_again() {
    let bench = Bench::new().await;
    let [event] = bench.events().await;
    bench.change(&event).await;
    // A relay took and read them, and died before it marked them.
    let now = bench.subject.environment.now();
    let taken = bench.subject.store.take(10, now, RelaySettings::default().lease).await.unwrap().rows;
    for row in &taken {
        bench.notes.read(row).await.unwrap();
    }
    let relay = bench.start_notes();
    bench.change(&event).await;
    assert_eq!(bench.notes.of(&event), [1, 2], "its lease lasts, and nobody overtakes");
    bench.subject.environment.advance(RelaySettings::default().lease);
    bench.until_pending(0).await;
    assert_eq!(bench.notes.of(&event), [1, 2, 1, 2, 3]);
    stopped(relay).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_comes_late_in_the_list_gets_its_facts_though_the_first_has_them() {
    let bench = Bench::new().await;
    let second = Arc::new(Notes::default());
    let [event] = bench.events().await;
    *second.unloaded.lock().unwrap() = Some(event.id.uuid());
    let relay = bench.start(quick(), vec![bench.notes.clone(), second.clone()]);
    let refused = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(2));
        while *second.refused.lock().unwrap() == 0 {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, refused).await.unwrap();
    *second.unloaded.lock().unwrap() = None;
    bench.until_pending(0).await;
    assert_eq!(second.of(&event), [1]);
    assert!(bench.notes.of(&event).len() >= 2, "the first heard it again, and must not mind");
    stopped(relay).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_beyond_one_batch_is_relayed_whole() {
    let bench = Bench::new().await;
    let events: [Event; 4] = bench.events().await;
    for event in &events {
        for _ in 0..10 {
            bench.change(event).await;
        }
    }
    assert_eq!(bench.pending().await, 44);
    let relay = bench.start(RelaySettings { batch: 3, ..quick() }, vec![bench.notes.clone()]);
    bench.until_pending(0).await;
    for event in &events {
        assert_eq!(bench.notes.of(event), (1..=11).collect::<Vec<_>>());
    }
    stopped(relay).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopping_relay_marks_what_it_has_read() {
    let bench = Bench::new().await;
    let [event] = bench.events().await;
    let relay = bench.start_notes();
    for version in 1..=20 {
        bench.change(&event).await;
        if version == 10 {
            relay.0.cancel();
        }
    }
    stopped(relay).await;
    let read = bench.notes.of(&event);
    assert_eq!(read, (1..=u32::try_from(read.len()).unwrap()).collect::<Vec<_>>());
    assert_eq!(bench.pending().await, 21 - read.len() as u64, "read and marked are the same rows");
}
