//! Contract tests of `OutboxStore`: a leased row is taken once, rows of an aggregate are taken in order, and every row is delivered (P8).
//!
//! The tests write rows by changing listings: an event is an aggregate, and each of its changes one row.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::accounts::ports::AccountStore;
use voelgoed_app::catalog::ports::CatalogStore;
use voelgoed_app::environment::Environment;
use voelgoed_app::outbox::event::{OutboxEvent, OutboxRow};
use voelgoed_app::outbox::ports::OutboxStore;
use voelgoed_domain::catalog::event::Event;
use voelgoed_domain::ids::OrganizationId;

use crate::catalog_fixtures::{expect_created, new_ticket_type, stored_event, stored_organization};
use crate::sut::Sut;

mod random_commands;

pub use random_commands::random_outbox_commands_match_the_model;

/// Makes a test of each case; `$open` is an expression that opens a [`Sut`](crate::sut::Sut) when awaited.
#[macro_export]
macro_rules! outbox_store_suite {
    ($open:expr) => {
        $crate::cases! { outbox, $open;
            change_writes_one_complete_row
            rows_of_an_aggregate_are_taken_in_order_and_once
            row_waits_for_the_earlier_rows_of_its_aggregate
            limited_takes_leave_no_gap_in_an_aggregate
            postponed_row_is_taken_at_its_time
            repeated_marks_change_nothing
            pending_counts_undelivered_rows
            concurrent_relays_deliver_each_row_once
            change_wakes_a_waiting_relay
            random_outbox_commands_match_the_model
        }
    };
}

const LEASE: Duration = Duration::from_secs(30);
const SECOND: Duration = Duration::from_secs(1);

/// The ports that the cases need.
pub trait OutboxTier: AccountStore + CatalogStore + OutboxStore {}
impl<S: AccountStore + CatalogStore + OutboxStore> OutboxTier for S {}

async fn take<S: OutboxTier>(sut: &Sut<S>, limit: u32) -> Vec<OutboxRow> {
    sut.store.take(limit, sut.environment.now(), LEASE).await.unwrap().rows
}

async fn change<S: OutboxTier>(sut: &Sut<S>, event: &Event) {
    let ticket_type = new_ticket_type(&sut.environment, event.id);
    let now = sut.environment.now();
    expect_created(sut.store.create_ticket_type(event.organization, ticket_type, now, None).await.unwrap());
}

async fn stored_events<S: OutboxTier>(sut: &Sut<S>, count: usize) -> (OrganizationId, Vec<Event>) {
    let organization = stored_organization(sut).await;
    let mut events = Vec::new();
    for _ in 0..count {
        events.push(crate::catalog_fixtures::stored_event(sut, organization).await);
    }
    (organization, events)
}

fn aggregates_and_versions(rows: &[OutboxRow]) -> Vec<(Uuid, u32)> {
    rows.iter().map(|row| (row.aggregate, row.version)).collect()
}

async fn mark_delivered<S: OutboxTier>(sut: &Sut<S>, rows: &[OutboxRow]) {
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    sut.store.delivered(&ids, sut.environment.now()).await.unwrap();
}

/// The row has organization, aggregate, version, event and time.
pub async fn change_writes_one_complete_row<S: OutboxTier>(sut: Sut<S>) {
    let (organization, events) = stored_events(&sut, 1).await;
    let rows = take(&sut, 10).await;
    let [row] = &rows[..] else { panic!("{rows:?}") };
    let expected = OutboxRow {
        id: row.id,
        organization,
        aggregate: events[0].id.uuid(),
        version: 1,
        outbox_event: OutboxEvent::ListingChanged { event: events[0].id },
        at: sut.environment.now(),
    };
    assert_eq!(*row, expected);
}

/// A row is taken again only after its lease, and never after its delivery.
pub async fn rows_of_an_aggregate_are_taken_in_order_and_once<S: OutboxTier>(sut: Sut<S>) {
    let (_, events) = stored_events(&sut, 1).await;
    change(&sut, &events[0]).await;
    change(&sut, &events[0]).await;
    let rows = take(&sut, 10).await;
    assert_eq!(rows.iter().map(|row| row.version).collect::<Vec<_>>(), [1, 2, 3]);
    sut.environment.advance(LEASE - SECOND);
    assert!(take(&sut, 10).await.is_empty());
    mark_delivered(&sut, &rows[..1]).await;
    sut.environment.advance(SECOND);
    assert_eq!(
        aggregates_and_versions(&take(&sut, 10).await),
        aggregates_and_versions(&rows[1..]),
        "lapsed leases are taken again"
    );
    sut.environment.advance(LEASE);
    mark_delivered(&sut, &rows).await;
    assert!(take(&sut, 10).await.is_empty());
}

/// No row is taken before an earlier leased or postponed row of its aggregate; other aggregates do not wait.
pub async fn row_waits_for_the_earlier_rows_of_its_aggregate<S: OutboxTier>(sut: Sut<S>) {
    let (_, events) = stored_events(&sut, 2).await;
    let [slow, quick] = &events[..] else { panic!() };
    let first = take(&sut, 10).await;
    assert_eq!(first.len(), 2);
    change(&sut, slow).await;
    change(&sut, quick).await;
    assert!(take(&sut, 10).await.is_empty(), "both wait for the leased rows");
    let (of_slow, of_quick): (Vec<_>, Vec<_>) = first.into_iter().partition(|row| row.aggregate == slow.id.uuid());
    mark_delivered(&sut, &of_quick).await;
    assert_eq!(aggregates_and_versions(&take(&sut, 10).await), [(quick.id.uuid(), 2)]);
    let pause = sut.environment.now().plus(SECOND);
    sut.store.postpone(&[of_slow[0].id], pause).await.unwrap();
    assert!(take(&sut, 10).await.is_empty(), "a postponed row blocks later ones");
    sut.environment.advance(SECOND);
    assert_eq!(aggregates_and_versions(&take(&sut, 10).await), [(slow.id.uuid(), 1), (slow.id.uuid(), 2)]);
}

/// The rows of an aggregate come in order at any limit.
pub async fn limited_takes_leave_no_gap_in_an_aggregate<S: OutboxTier>(sut: Sut<S>) {
    let (_, events) = stored_events(&sut, 3).await;
    for _ in 0..2 {
        for event in &events {
            // The clocks of nodes differ, so a later version may have an earlier time.
            change(&sut, event).await;
        }
    }
    let mut seen = BTreeMap::<Uuid, Vec<u32>>::new();
    let mut rounds = 0;
    loop {
        let rows = take(&sut, 2).await;
        if rows.is_empty() {
            break;
        }
        assert!(rows.len() <= 2);
        for row in &rows {
            seen.entry(row.aggregate).or_default().push(row.version);
        }
        mark_delivered(&sut, &rows).await;
        rounds += 1;
    }
    assert!(rounds >= 5, "{rounds}");
    assert_eq!(seen.into_values().collect::<Vec<_>>(), vec![vec![1, 2, 3]; 3]);
}

/// Not a microsecond earlier.
pub async fn postponed_row_is_taken_at_its_time<S: OutboxTier>(sut: Sut<S>) {
    let (_, _) = stored_events(&sut, 1).await;
    let rows = take(&sut, 10).await;
    let at = sut.environment.now().plus(SECOND);
    sut.store.postpone(&[rows[0].id], at).await.unwrap();
    sut.environment.advance(SECOND - Duration::from_micros(1));
    assert!(take(&sut, 10).await.is_empty());
    sut.environment.advance(Duration::from_micros(1));
    assert_eq!(take(&sut, 10).await, rows);
}

/// A late mark of a relay whose lease has ended changes nothing.
pub async fn repeated_marks_change_nothing<S: OutboxTier>(sut: Sut<S>) {
    let (_, _) = stored_events(&sut, 1).await;
    let rows = take(&sut, 10).await;
    mark_delivered(&sut, &rows).await;
    mark_delivered(&sut, &rows).await;
    sut.store.postpone(&[rows[0].id], sut.environment.now()).await.unwrap();
    sut.store.delivered(&[Uuid::nil()], sut.environment.now()).await.unwrap();
    sut.store.delivered(&[], sut.environment.now()).await.unwrap();
    sut.store.postpone(&[], sut.environment.now()).await.unwrap();
    assert!(take(&sut, 10).await.is_empty());
}

/// A leased row is still pending.
pub async fn pending_counts_undelivered_rows<S: OutboxTier>(sut: Sut<S>) {
    let pending = || async { sut.store.pending(sut.environment.now()).await.unwrap() };
    assert_eq!(pending().await, (0, 0));
    let (_, events) = stored_events(&sut, 1).await;
    sut.environment.advance(Duration::from_millis(1_500));
    change(&sut, &events[0]).await;
    assert_eq!(pending().await, (2, 1_500));
    let rows = take(&sut, 10).await;
    assert_eq!(pending().await, (2, 1_500), "taken is not delivered");
    mark_delivered(&sut, &rows[..1]).await;
    assert_eq!(pending().await, (1, 0));
}

/// Four relays take every row once, in the order of its aggregate.
pub async fn concurrent_relays_deliver_each_row_once<S: OutboxTier>(sut: Sut<S>) {
    let (_, events) = stored_events(&sut, 10).await;
    for event in &events {
        change(&sut, event).await;
    }
    let now = sut.environment.now();
    let relays = (0..4).map(|_| {
        let store = Arc::clone(&sut.store);
        tokio::spawn(async move {
            let mut delivered = Vec::new();
            for _ in 0..100 {
                let rows = store.take(3, now, LEASE).await.unwrap().rows;
                let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
                delivered.extend(rows);
                store.delivered(&ids, now).await.unwrap();
            }
            delivered
        })
    });
    let mut seen = BTreeMap::<Uuid, Vec<u32>>::new();
    for relay in relays.collect::<Vec<_>>() {
        for row in relay.await.unwrap() {
            seen.entry(row.aggregate).or_default().push(row.version);
        }
    }
    for versions in seen.values_mut() {
        versions.sort_unstable();
    }
    assert_eq!(seen.into_values().collect::<Vec<_>>(), vec![vec![1, 2]; 10]);
}

/// A relay that waits for new rows is notified.
pub async fn change_wakes_a_waiting_relay<S: OutboxTier>(sut: Sut<S>) {
    let organization = stored_organization(&sut).await;
    let store = Arc::clone(&sut.store);
    let waiting = tokio::spawn(async move { OutboxStore::written(&*store).await });
    stored_event(&sut, organization).await;
    tokio::time::timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap();
}
