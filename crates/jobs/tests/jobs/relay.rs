//! Tests the relay on the real store: at-least-once delivery in each aggregate's order, without delay of other aggregates.

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
use voelgoed_app::outbox::consumer::{ConsumeError, OutboxConsumer};
use voelgoed_app::outbox::event::OutboxRow;
use voelgoed_app::outbox::ports::OutboxStore;
use voelgoed_app::ticketing::ports::InventoryError;
use voelgoed_cold::{Cold, ColdConfig};
use voelgoed_contracts::catalog_fixtures;
use voelgoed_contracts::sut::{Sut, TestEnvironment};
use voelgoed_contracts::test_directory::TestDirectory;
use voelgoed_domain::catalog::event::Event;
use voelgoed_jobs::{Relay, RelaySettings};

use super::fixture::WAIT_MAX;

/// Records accepted versions; for one aggregate it answers `unloaded`, hangs or panics as the test configures.
#[derive(Default)]
struct RecordingConsumer {
    accepted: Mutex<BTreeMap<Uuid, Vec<u32>>>,
    refused: Mutex<u32>,
    unloaded: Mutex<Option<Uuid>>,
    hangs: AtomicBool,
    panics: AtomicBool,
}

#[async_trait]
impl OutboxConsumer for RecordingConsumer {
    fn name(&self) -> &'static str {
        "recording"
    }

    async fn consume(&self, row: &OutboxRow) -> Result<(), ConsumeError> {
        if *self.unloaded.lock().unwrap() == Some(row.aggregate) {
            *self.refused.lock().unwrap() += 1;
            if self.hangs.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            assert!(!self.panics.load(Ordering::SeqCst), "the consumer's panic");
            return Err(InventoryError::Unloaded.into());
        }
        self.accepted.lock().unwrap().entry(row.aggregate).or_default().push(row.version);
        Ok(())
    }
}

impl RecordingConsumer {
    fn accepted_of(&self, event: &Event) -> Vec<u32> {
        self.accepted.lock().unwrap().get(&event.id.uuid()).cloned().unwrap_or_default()
    }
}

struct RelayFixture {
    sut: Sut<Cold>,
    consumer: Arc<RecordingConsumer>,
}

impl RelayFixture {
    async fn new() -> Self {
        let directory = TestDirectory::new("relay");
        let environment = Arc::new(TestEnvironment::default());
        let config = ColdConfig::embedded(directory.path());
        let store = Arc::new(Cold::open(config, environment.clone()).await.unwrap());
        let sut = Sut { store, environment, keep: Box::new(directory) };
        Self { sut, consumer: Arc::default() }
    }

    async fn events<const N: usize>(&self) -> [Event; N] {
        let organization = catalog_fixtures::stored_organization(&self.sut).await;
        let mut events = Vec::new();
        for _ in 0..N {
            events.push(catalog_fixtures::stored_event(&self.sut, organization).await);
        }
        events.try_into().unwrap()
    }

    async fn change(&self, event: &Event) {
        let ticket_type = catalog_fixtures::new_ticket_type(&self.sut.environment, event.id);
        let now = self.sut.environment.now();
        let created = self.sut.store.create_ticket_type(event.organization, ticket_type, now, None).await;
        catalog_fixtures::expect_created(created.unwrap());
    }

    fn start(
        &self,
        settings: RelaySettings,
        consumers: Vec<Arc<dyn OutboxConsumer>>,
    ) -> (CancellationToken, JoinSet<()>) {
        let relay = Relay::new(self.sut.store.clone(), self.sut.environment.clone(), consumers, settings);
        let (stop, mut task) = (CancellationToken::new(), JoinSet::new());
        task.spawn(relay.run(stop.clone()));
        (stop, task)
    }

    fn start_recording(&self) -> (CancellationToken, JoinSet<()>) {
        self.start(short_intervals(), vec![self.consumer.clone()])
    }

    async fn pending(&self) -> u64 {
        self.sut.store.pending(self.sut.environment.now()).await.unwrap().0
    }

    /// Waits until this many rows are undelivered; advances the clock, so that backoffs end.
    async fn until_pending(&self, expected: u64) {
        let reached = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(2));
            while self.pending().await != expected {
                ticks.tick().await;
                self.sut.environment.advance(Duration::from_millis(2));
            }
        };
        let in_time = tokio::time::timeout(WAIT_MAX, reached).await.is_ok();
        assert!(in_time, "{} instead of {expected} are pending", self.pending().await);
    }
}

fn short_intervals() -> RelaySettings {
    RelaySettings {
        poll_interval: Duration::from_millis(5),
        gauge_interval: Duration::from_millis(20),
        backoff_first: Duration::from_millis(10),
        backoff_max: Duration::from_millis(50),
        drain_timeout: Duration::from_millis(200),
        ..RelaySettings::default()
    }
}

async fn stop((stop, mut task): (CancellationToken, JoinSet<()>)) {
    stop.cancel();
    tokio::time::timeout(WAIT_MAX, task.join_next()).await.expect("a relay stops").unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_row_is_delivered_to_every_consumer_once_and_in_order() {
    let fixture = RelayFixture::new().await;
    let second = Arc::new(RecordingConsumer::default());
    let relay = fixture.start(
        RelaySettings { poll_interval: WAIT_MAX * 10, ..short_intervals() },
        vec![fixture.consumer.clone(), second.clone()],
    );
    let [a, b] = fixture.events().await;
    for _ in 0..20 {
        fixture.change(&a).await;
        fixture.change(&b).await;
    }
    fixture.until_pending(0).await;
    for event in [&a, &b] {
        assert_eq!(fixture.consumer.accepted_of(event), (1..=21).collect::<Vec<_>>());
        assert_eq!(second.accepted_of(event), (1..=21).collect::<Vec<_>>());
    }
    stop(relay).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unloaded_row_stays_undelivered_while_other_aggregates_are_delivered() {
    let fixture = RelayFixture::new().await;
    let [poison, healthy] = fixture.events().await;
    *fixture.consumer.unloaded.lock().unwrap() = Some(poison.id.uuid());
    let relay = fixture.start_recording();
    for _ in 0..5 {
        fixture.change(&poison).await;
        fixture.change(&healthy).await;
    }
    fixture.until_pending(6).await;
    assert_eq!(fixture.consumer.accepted_of(&healthy), (1..=6).collect::<Vec<_>>());
    let attempts = || *fixture.consumer.refused.lock().unwrap();
    let attempts_before = attempts();
    let retried = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(2));
        while attempts() < attempts_before + 3 {
            ticks.tick().await;
            fixture.sut.environment.advance(Duration::from_millis(10));
        }
    };
    tokio::time::timeout(WAIT_MAX, retried).await.expect("the row is retried");
    assert_eq!(fixture.pending().await, 6);
    assert!(fixture.consumer.accepted_of(&poison).is_empty(), "no later row of the aggregate overtook it");
    *fixture.consumer.unloaded.lock().unwrap() = None;
    fixture.until_pending(0).await;
    assert_eq!(fixture.consumer.accepted_of(&poison), (1..=6).collect::<Vec<_>>());
    stop(relay).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_is_delivered_again_after_its_consumer_panicked_or_hung() {
    for (panics, hangs) in [(true, false), (false, true)] {
        let fixture = RelayFixture::new().await;
        fixture.consumer.panics.store(panics, Ordering::SeqCst);
        fixture.consumer.hangs.store(hangs, Ordering::SeqCst);
        let [poison, healthy] = fixture.events().await;
        *fixture.consumer.unloaded.lock().unwrap() = Some(poison.id.uuid());
        let settings = RelaySettings { consume_timeout: Duration::from_millis(100), ..short_intervals() };
        let relay = fixture.start(settings, vec![fixture.consumer.clone()]);
        for _ in 0..3 {
            fixture.change(&healthy).await;
        }
        fixture.until_pending(1).await;
        assert_eq!(fixture.consumer.accepted_of(&healthy), [1, 2, 3, 4]);
        *fixture.consumer.unloaded.lock().unwrap() = None;
        fixture.until_pending(0).await;
        assert_eq!(fixture.consumer.accepted_of(&poison), [1]);
        stop(relay).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_a_relay_that_died_before_marking_are_delivered_again() {
    let fixture = RelayFixture::new().await;
    let [event] = fixture.events().await;
    fixture.change(&event).await;
    // A relay took and delivered the rows, and died before it marked them.
    let now = fixture.sut.environment.now();
    let taken = fixture.sut.store.take(10, now, RelaySettings::default().lease).await.unwrap().rows;
    for row in &taken {
        fixture.consumer.consume(row).await.unwrap();
    }
    let relay = fixture.start_recording();
    fixture.change(&event).await;
    assert_eq!(
        fixture.consumer.accepted_of(&event),
        [1, 2],
        "no relay takes later rows of the aggregate before the lease lapses"
    );
    fixture.sut.environment.advance(RelaySettings::default().lease);
    fixture.until_pending(0).await;
    assert_eq!(fixture.consumer.accepted_of(&event), [1, 2, 1, 2, 3]);
    stop(relay).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn second_consumer_gets_a_row_that_the_first_has_already_accepted() {
    let fixture = RelayFixture::new().await;
    let second = Arc::new(RecordingConsumer::default());
    let [event] = fixture.events().await;
    *second.unloaded.lock().unwrap() = Some(event.id.uuid());
    let relay = fixture.start(short_intervals(), vec![fixture.consumer.clone(), second.clone()]);
    let refused = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(2));
        while *second.refused.lock().unwrap() == 0 {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(WAIT_MAX, refused).await.unwrap();
    *second.unloaded.lock().unwrap() = None;
    fixture.until_pending(0).await;
    assert_eq!(second.accepted_of(&event), [1]);
    assert!(fixture.consumer.accepted_of(&event).len() >= 2, "the first consumer got the row again");
    stop(relay).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backlog_larger_than_one_batch_is_relayed_completely() {
    let fixture = RelayFixture::new().await;
    let events: [Event; 4] = fixture.events().await;
    for event in &events {
        for _ in 0..10 {
            fixture.change(event).await;
        }
    }
    assert_eq!(fixture.pending().await, 44);
    let relay = fixture.start(RelaySettings { batch_rows_max: 3, ..short_intervals() }, vec![fixture.consumer.clone()]);
    fixture.until_pending(0).await;
    for event in &events {
        assert_eq!(fixture.consumer.accepted_of(event), (1..=11).collect::<Vec<_>>());
    }
    stop(relay).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_relay_marks_every_consumed_row() {
    let fixture = RelayFixture::new().await;
    let [event] = fixture.events().await;
    let relay = fixture.start_recording();
    for version in 1..=20 {
        fixture.change(&event).await;
        if version == 10 {
            relay.0.cancel();
        }
    }
    stop(relay).await;
    let read = fixture.consumer.accepted_of(&event);
    assert_eq!(read, (1..=u32::try_from(read.len()).unwrap()).collect::<Vec<_>>());
    assert_eq!(fixture.pending().await, 21 - read.len() as u64, "exactly the consumed rows are marked");
}
