//! Contract tests of `RetentionStore`: old rows are deleted, exact to the microsecond and oldest first; money, places and tickets are kept (P1, P5, P6).

use std::time::Duration;

use voelgoed_app::accounts::ports::Member;
use voelgoed_app::accounts::slice::{AUDIT_LINES, ENDED_LOGINS};
use voelgoed_app::analytics::ports::{AnalyticsStore, StepCountEntry, StepCounts};
use voelgoed_app::analytics::slice::STEP_COUNTS;
use voelgoed_app::catalog::ports::{CatalogStore, Venue};
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::idempotency::IdempotencyStore;
use voelgoed_app::idempotency::{ANSWER_RETENTION, IdempotencyKey};
use voelgoed_app::page::PageRequest;
use voelgoed_app::retention::class::RetentionClass;
use voelgoed_app::retention::ports::RetentionStore;
use voelgoed_app::retention::{ANSWERS, DELIVERED_EVENTS};
use voelgoed_app::scanning::ports::{FirstEntry, ScanResult};
use voelgoed_app::scanning::slice::RECEIVED_SCANS;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::scanning::entry::ScanReason;
use voelgoed_domain::time::Timestamp;

use crate::accounts::{audited_command, new_login};
use crate::catalog_fixtures::expect_created;
use crate::idempotency::idempotency_record;
use crate::sales_fixture::{SalesFixture, SalesTier};
use crate::scans::new_scan;
use crate::sut::Sut;

/// Makes a test of each case; `$open` is an expression that opens a [`Sut`](crate::sut::Sut) when awaited.
#[macro_export]
macro_rules! retention_store_suite {
    ($open:expr) => {
        $crate::cases! { retention, $open;
            old_delivered_outbox_events_are_deleted
            expired_idempotency_records_are_deleted
            expired_sessions_are_deleted
            old_audit_lines_are_deleted_oldest_first
            old_scan_is_deleted_but_its_ticket_stays_used
            old_counts_are_deleted
            money_places_and_tickets_are_kept
            class_without_a_statement_is_a_fault
        }
    };
}

const MICRO: Duration = Duration::from_micros(1);
const LEASE: Duration = Duration::from_secs(30);

/// The ports that the cases need.
pub trait RetentionTier: SalesTier + CatalogStore + IdempotencyStore + AnalyticsStore + RetentionStore {}
impl<S: SalesTier + CatalogStore + IdempotencyStore + AnalyticsStore + RetentionStore> RetentionTier for S {}

/// Asserts that rows are deleted a microsecond after their time, and not at it.
async fn assert_deleted_after<S: RetentionTier>(
    fixture: &SalesFixture<S>,
    class: RetentionClass,
    at: Timestamp,
    rows: u64,
) {
    let delete = |before| fixture.store().delete(class, before, 100);
    assert_eq!(delete(at).await.unwrap(), 0, "{} is not older than itself", class.name);
    assert_eq!(delete(at.plus(MICRO)).await.unwrap(), rows, "{}", class.name);
    assert_eq!(delete(at.plus(MICRO)).await.unwrap(), 0, "{} is gone", class.name);
}

/// Undelivered events are kept at any age.
pub async fn old_delivered_outbox_events_are_deleted<S: RetentionTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    fixture.placed_order(&[1]).await;
    let now = fixture.environment().now();
    let rows = fixture.store().take(100, now, LEASE).await.unwrap().rows;
    assert!(rows.len() > 1);
    fixture.store().delivered(&[rows[0].id], now).await.unwrap();
    assert_deleted_after(&fixture, DELIVERED_EVENTS, now, 1).await;
    let later = fixture.environment().advance(ANSWER_RETENTION * 1_000);
    assert_eq!(fixture.store().delete(DELIVERED_EVENTS, later, 100).await.unwrap(), 0);
    assert_eq!(fixture.store().pending(later).await.unwrap().0, rows.len() as u64 - 1);
}

/// The retention time is the one that the API promises.
pub async fn expired_idempotency_records_are_deleted<S: RetentionTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let at = fixture.environment().now();
    let venue = Venue { id: new_id(fixture.environment()), name: "Hall".into(), address: "1 Street".into() };
    let record = idempotency_record(fixture.environment(), "s", [1; 32], "answer");
    expect_created(fixture.store().create_venue(fixture.organization, venue, Some(record)).await.unwrap());
    let key = IdempotencyKey { caller: "s".into(), key: "k".into(), request: [1; 32] };
    let found = |now| fixture.store().find(fixture.organization, &key, now);
    let over = at.plus(ANSWER_RETENTION);
    assert!(found(over.minus(MICRO)).await.unwrap().is_some(), "replayed until its expiry");
    assert!(found(over).await.unwrap().is_none());
    assert_deleted_after(&fixture, ANSWERS, at, 1).await;
}

/// The expiry counts, not the creation.
pub async fn expired_sessions_are_deleted<S: RetentionTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let now = fixture.environment().now();
    let member = Member {
        id: new_id(fixture.environment()),
        organization: fixture.organization,
        name: "Ada".into(),
        email: "ada@x".into(),
        scopes: vec![Scope::Sales],
        created_at: now,
        disabled_at: None,
    };
    let id = member.id;
    expect_created(fixture.store().create_member(member, "argon2".into(), None).await.unwrap());
    let (early, late) = (now.plus(LEASE), now.plus(ANSWER_RETENTION));
    for (token, ends) in [([1; 32], early), ([2; 32], late)] {
        let session = new_login(fixture.environment(), token, ends);
        assert!(fixture.store().create_session(fixture.organization, id, session).await.unwrap());
    }
    assert_deleted_after(&fixture, ENDED_LOGINS, early, 1).await;
    assert!(fixture.store().session_by_token([2; 32], now).await.unwrap().is_some());
}

/// One commit covers all organizations, up to its limit.
pub async fn old_audit_lines_are_deleted_oldest_first<S: RetentionTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let mut written = vec![];
    for organization in
        [fixture.other_organization, fixture.organization, fixture.other_organization, fixture.organization]
    {
        fixture.environment().advance(MICRO);
        written.push(audited_command(&**fixture.store(), fixture.environment(), organization, "evt_1").await);
    }
    let before = written[3].at;
    assert_eq!(fixture.store().delete(AUDIT_LINES, before, 2).await.unwrap(), 2);
    let left = |organization| fixture.store().audit_lines(organization, PageRequest::default());
    assert_eq!(left(fixture.other_organization).await.unwrap().items, [written[2].clone()]);
    assert_eq!(left(fixture.organization).await.unwrap().items, [written[3].clone()]);
    assert_eq!(fixture.store().delete(AUDIT_LINES, before, 2).await.unwrap(), 1);
    assert_deleted_after(&fixture, AUDIT_LINES, before, 1).await;
}

/// A used ticket stays used after its scan was deleted.
pub async fn old_scan_is_deleted_but_its_ticket_stays_used<S: RetentionTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let ticket = fixture.paid_order(&[1]).await.2[0].id;
    let first = new_scan(&fixture, Some(ticket));
    let scanned = fixture.store().record_scan(fixture.organization, first.clone()).await.unwrap();
    assert_eq!(scanned.scan.result, ScanResult::Admitted);
    assert_deleted_after(&fixture, RECEIVED_SCANS, first.received_at, 1).await;
    assert_eq!(fixture.store().read_scan(fixture.organization, first.id).await.unwrap(), None);
    for again in [first.clone(), new_scan(&fixture, Some(ticket))] {
        let answer = fixture.store().record_scan(fixture.organization, again).await.unwrap().scan;
        assert_eq!(answer.result, ScanResult::Refused(ScanReason::AlreadyUsed));
        assert_eq!(answer.first, Some(FirstEntry { gate: first.gate.id, at: first.received_at }));
    }
}

/// One commit covers all events.
pub async fn old_counts_are_deleted<S: RetentionTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let minute = fixture.environment().now();
    let counts = StepCounts { viewed: 1, held: 1, refused: 1 };
    for organization in [fixture.organization, fixture.other_organization] {
        let scope = EventScope { organization, event: fixture.event };
        fixture.store().add_counts(scope, &[StepCountEntry { id: "1-0".into(), minute, counts }]).await.unwrap();
    }
    assert_deleted_after(&fixture, STEP_COUNTS, minute, 2).await;
}

/// Every class is deleted up to a moment far in the future.
pub async fn money_places_and_tickets_are_kept<S: RetentionTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, _, tickets) = fixture.paid_order(&[1, 2]).await;
    let (sold, balances, places) =
        (fixture.read_order(order).await, fixture.balances().await, fixture.place_states(&[1, 2]).await);
    assert!(!balances.is_empty());
    let later = fixture.environment().advance(ANSWER_RETENTION * 100_000);
    for class in fixture.store().classes() {
        fixture.store().delete(class, later, 1_000).await.unwrap();
    }
    assert_eq!(fixture.read_order(order).await, sold);
    assert_eq!((fixture.balances().await, fixture.place_states(&[1, 2]).await), (balances, places));
    for ticket in tickets {
        let read = fixture.store().read_ticket(fixture.organization, ticket.id).await.unwrap();
        assert_eq!(read.map(|read| (read.id, read.state)), Some((ticket.id, ticket.state)));
    }
}

/// A slice that declares a class of which no statement deletes the rows must not pass for one without old rows.
pub async fn class_without_a_statement_is_a_fault<S: RetentionTier>(sut: Sut<S>) {
    let unknown = RetentionClass { name: "unknown", period: |_| Duration::ZERO };
    assert!(sut.store.delete(unknown, sut.environment.now(), 1).await.is_err());
}
