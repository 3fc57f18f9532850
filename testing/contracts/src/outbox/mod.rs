//! What `OutboxStore` promises: no row twice while it is leased, none lost, none of an aggregate before the one ahead of it (P8).
//!
//! Facts are made by changing listings: an event is an aggregate, and each of its changes one row.

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

use crate::catalogue::{a_ticket_type, event, made, organization};
use crate::subject::Subject;

mod random;

pub use random::whatever_happens_each_aggregate_keeps_its_order;

/// Every case, as a test; `$open` opens a subject.
#[macro_export]
macro_rules! outbox_store_suite {
    ($open:expr) => {
        $crate::cases! { outbox, $open;
            a_change_is_one_row_with_its_address
            an_aggregate_is_taken_in_order_and_once
            nothing_overtakes_within_an_aggregate
            a_limit_leaves_no_gap
            what_is_put_back_comes_at_its_moment
            marks_are_harmless_when_repeated
            pending_counts_what_is_not_delivered
            many_relays_share_the_rows
            a_change_rings
            whatever_happens_each_aggregate_keeps_its_order
        }
    };
}

const LEASE: Duration = Duration::from_secs(30);
const SECOND: Duration = Duration::from_secs(1);

/// What the cases need of an adapter.
pub trait Facts: AccountStore + CatalogStore + OutboxStore {}
impl<S: AccountStore + CatalogStore + OutboxStore> Facts for S {}

async fn take<S: Facts>(subject: &Subject<S>, most: u32) -> Vec<OutboxRow> {
    subject.store.take(most, subject.environment.now(), LEASE).await.unwrap().rows
}

async fn change<S: Facts>(subject: &Subject<S>, event: &Event) {
    let ticket_type = a_ticket_type(&subject.environment, event.id);
    let now = subject.environment.now();
    made(subject.store.create_ticket_type(event.organization, ticket_type, now, None).await.unwrap());
}

async fn events<S: Facts>(subject: &Subject<S>, count: usize) -> (OrganizationId, Vec<Event>) {
    let organization = organization(subject).await;
    let mut events = Vec::new();
    for _ in 0..count {
        events.push(crate::catalogue::event(subject, organization).await);
    }
    (organization, events)
}

fn addresses(rows: &[OutboxRow]) -> Vec<(Uuid, u32)> {
    rows.iter().map(|row| (row.aggregate, row.version)).collect()
}

async fn delivered<S: Facts>(subject: &Subject<S>, rows: &[OutboxRow]) {
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    subject.store.delivered(&ids, subject.environment.now()).await.unwrap();
}

/// The row says whose, about what, which, what and when.
pub async fn a_change_is_one_row_with_its_address<S: Facts>(subject: Subject<S>) {
    let (organization, events) = events(&subject, 1).await;
    let rows = take(&subject, 10).await;
    let [row] = &rows[..] else { panic!("{rows:?}") };
    let expected = OutboxRow {
        id: row.id,
        organization,
        aggregate: events[0].id.uuid(),
        version: 1,
        fact: OutboxEvent::ListingChanged { event: events[0].id },
        at: subject.environment.now(),
    };
    assert_eq!(*row, expected);
}

/// Taken together in order; not again before the lease is over; never again once delivered.
pub async fn an_aggregate_is_taken_in_order_and_once<S: Facts>(subject: Subject<S>) {
    let (_, events) = events(&subject, 1).await;
    change(&subject, &events[0]).await;
    change(&subject, &events[0]).await;
    let rows = take(&subject, 10).await;
    assert_eq!(rows.iter().map(|row| row.version).collect::<Vec<_>>(), [1, 2, 3]);
    subject.environment.advance(LEASE - SECOND);
    assert!(take(&subject, 10).await.is_empty());
    delivered(&subject, &rows[..1]).await;
    subject.environment.advance(SECOND);
    assert_eq!(addresses(&take(&subject, 10).await), addresses(&rows[1..]), "lapsed leases are taken again");
    subject.environment.advance(LEASE);
    delivered(&subject, &rows).await;
    assert!(take(&subject, 10).await.is_empty());
}

/// Neither a lease nor a pause of a row lets a later one of its aggregate by; other aggregates do not wait.
pub async fn nothing_overtakes_within_an_aggregate<S: Facts>(subject: Subject<S>) {
    let (_, events) = events(&subject, 2).await;
    let [slow, quick] = &events[..] else { panic!() };
    let first = take(&subject, 10).await;
    assert_eq!(first.len(), 2);
    change(&subject, slow).await;
    change(&subject, quick).await;
    assert!(take(&subject, 10).await.is_empty(), "both wait for the rows in other hands");
    let (of_slow, of_quick): (Vec<_>, Vec<_>) = first.into_iter().partition(|row| row.aggregate == slow.id.uuid());
    delivered(&subject, &of_quick).await;
    assert_eq!(addresses(&take(&subject, 10).await), [(quick.id.uuid(), 2)]);
    let pause = subject.environment.now().plus(SECOND);
    subject.store.postpone(&[of_slow[0].id], pause).await.unwrap();
    assert!(take(&subject, 10).await.is_empty(), "a pause holds those behind");
    subject.environment.advance(SECOND);
    assert_eq!(addresses(&take(&subject, 10).await), [(slow.id.uuid(), 1), (slow.id.uuid(), 2)]);
}

/// Whatever the limit, the rows of an aggregate come in order and without a gap.
pub async fn a_limit_leaves_no_gap<S: Facts>(subject: Subject<S>) {
    let (_, events) = events(&subject, 3).await;
    for _ in 0..2 {
        for event in &events {
            // Clocks of different nodes disagree: a later version may carry an earlier moment.
            change(&subject, event).await;
        }
    }
    let mut seen = BTreeMap::<Uuid, Vec<u32>>::new();
    let mut rounds = 0;
    loop {
        let rows = take(&subject, 2).await;
        if rows.is_empty() {
            break;
        }
        assert!(rows.len() <= 2);
        for row in &rows {
            seen.entry(row.aggregate).or_default().push(row.version);
        }
        delivered(&subject, &rows).await;
        rounds += 1;
    }
    assert!(rounds >= 5, "{rounds}");
    assert_eq!(seen.into_values().collect::<Vec<_>>(), vec![vec![1, 2, 3]; 3]);
}

/// Not a moment before.
pub async fn what_is_put_back_comes_at_its_moment<S: Facts>(subject: Subject<S>) {
    let (_, _) = events(&subject, 1).await;
    let rows = take(&subject, 10).await;
    let at = subject.environment.now().plus(SECOND);
    subject.store.postpone(&[rows[0].id], at).await.unwrap();
    subject.environment.advance(SECOND - Duration::from_micros(1));
    assert!(take(&subject, 10).await.is_empty());
    subject.environment.advance(Duration::from_micros(1));
    assert_eq!(take(&subject, 10).await, rows);
}

/// A late mark of a relay that was overtaken changes nothing.
pub async fn marks_are_harmless_when_repeated<S: Facts>(subject: Subject<S>) {
    let (_, _) = events(&subject, 1).await;
    let rows = take(&subject, 10).await;
    delivered(&subject, &rows).await;
    delivered(&subject, &rows).await;
    subject.store.postpone(&[rows[0].id], subject.environment.now()).await.unwrap();
    subject.store.delivered(&[Uuid::nil()], subject.environment.now()).await.unwrap();
    subject.store.delivered(&[], subject.environment.now()).await.unwrap();
    subject.store.postpone(&[], subject.environment.now()).await.unwrap();
    assert!(take(&subject, 10).await.is_empty());
}

/// How many, and how old the oldest is.
pub async fn pending_counts_what_is_not_delivered<S: Facts>(subject: Subject<S>) {
    let pending = || async { subject.store.pending(subject.environment.now()).await.unwrap() };
    assert_eq!(pending().await, (0, 0));
    let (_, events) = events(&subject, 1).await;
    subject.environment.advance(Duration::from_millis(1_500));
    change(&subject, &events[0]).await;
    assert_eq!(pending().await, (2, 1_500));
    let rows = take(&subject, 10).await;
    assert_eq!(pending().await, (2, 1_500), "taken is not delivered");
    delivered(&subject, &rows[..1]).await;
    assert_eq!(pending().await, (1, 0));
}

/// Four relays: every row once, in the order of its aggregate.
pub async fn many_relays_share_the_rows<S: Facts>(subject: Subject<S>) {
    let (_, events) = events(&subject, 10).await;
    for event in &events {
        change(&subject, event).await;
    }
    let now = subject.environment.now();
    let relays = (0..4).map(|_| {
        let store = Arc::clone(&subject.store);
        tokio::spawn(async move {
            let mut mine = Vec::new();
            for _ in 0..100 {
                let rows = store.take(3, now, LEASE).await.unwrap().rows;
                let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
                mine.extend(rows);
                store.delivered(&ids, now).await.unwrap();
            }
            mine
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

/// Who waits hears of it.
pub async fn a_change_rings<S: Facts>(subject: Subject<S>) {
    let organization = organization(&subject).await;
    let store = Arc::clone(&subject.store);
    let waiting = tokio::spawn(async move { OutboxStore::written(&*store).await });
    event(&subject, organization).await;
    tokio::time::timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap();
}
