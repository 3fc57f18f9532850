//! What `RetentionStore` promises: what is old goes, to the microsecond and the oldest first; nothing that money, places or tickets follow from (P1, P5, P6).

use std::time::Duration;

use voelgoed_app::accounts::ports::Member;
use voelgoed_app::analytics::ports::{AnalyticsStore, Counted, Counts};
use voelgoed_app::catalog::ports::{CatalogStore, Venue};
use voelgoed_app::checkout::ports::IdempotencyStore;
use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::idempotency::{IdempotencyKey, KEPT_FOR};
use voelgoed_app::page::PageRequest;
use voelgoed_app::retention::ports::{RetentionClass, RetentionStore};
use voelgoed_app::scanning::ports::{FirstEntry, ScanResult};
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::scanning::entry::ScanReason;
use voelgoed_domain::time::Timestamp;

use crate::accounts::{a_session, an_act};
use crate::catalogue::made;
use crate::idempotency::a_record;
use crate::scans::a_scan;
use crate::selling::{Shop, Tier};
use crate::subject::Subject;

/// Every case, as a test; `$open` opens a subject.
#[macro_export]
macro_rules! retention_store_suite {
    ($open:expr) => {
        $crate::cases! { retention, $open;
            facts_go_when_they_were_delivered_long_ago
            answers_go_when_they_are_no_longer_replayed
            logins_go_when_they_are_over
            audit_lines_go_by_their_age_the_oldest_first
            a_scan_goes_and_lets_nobody_in_again
            counts_go_by_their_minute
            money_places_and_tickets_stay
        }
    };
}

const MICRO: Duration = Duration::from_micros(1);
const LEASE: Duration = Duration::from_secs(30);

/// What the cases need of an adapter.
pub trait Retained: Tier + CatalogStore + IdempotencyStore + AnalyticsStore + RetentionStore {}
impl<S: Tier + CatalogStore + IdempotencyStore + AnalyticsStore + RetentionStore> Retained for S {}

/// Not at its own moment, but a microsecond later.
async fn goes_after<S: Retained>(shop: &Shop<S>, remains: RetentionClass, at: Timestamp, rows: u64) {
    let delete = |before| shop.store().delete(remains, before, 100);
    assert_eq!(delete(at).await.unwrap(), 0, "{remains:?} is not older than itself");
    assert_eq!(delete(at.plus(MICRO)).await.unwrap(), rows, "{remains:?}");
    assert_eq!(delete(at.plus(MICRO)).await.unwrap(), 0, "{remains:?} is gone");
}

/// Whatever waits stays, however old.
pub async fn facts_go_when_they_were_delivered_long_ago<S: Retained>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    shop.ordered(&[1]).await;
    let now = shop.environment().now();
    let rows = shop.store().take(100, now, LEASE).await.unwrap().rows;
    assert!(rows.len() > 1);
    shop.store().delivered(&[rows[0].id], now).await.unwrap();
    goes_after(&shop, RetentionClass::Facts, now, 1).await;
    let later = shop.environment().advance(KEPT_FOR * 1_000);
    assert_eq!(shop.store().delete(RetentionClass::Facts, later, 100).await.unwrap(), 0);
    assert_eq!(shop.store().pending(later).await.unwrap().0, rows.len() as u64 - 1);
}

/// At the end of what the contract says.
pub async fn answers_go_when_they_are_no_longer_replayed<S: Retained>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let at = shop.environment().now();
    let venue = Venue { id: fresh(shop.environment()), name: "Hall".into(), address: "1 Street".into() };
    let record = a_record(shop.environment(), "s", [1; 32], "answer");
    made(shop.store().create_venue(shop.organization, venue, Some(record)).await.unwrap());
    let key = IdempotencyKey { scope: "s".into(), key: "k".into(), request: [1; 32] };
    let found = |now| shop.store().find(shop.organization, &key, now);
    let over = at.plus(KEPT_FOR);
    assert!(found(over.minus(MICRO)).await.unwrap().is_some(), "replayed to the last");
    assert!(found(over).await.unwrap().is_none());
    goes_after(&shop, RetentionClass::Answers, at, 1).await;
}

/// By their end, not by their beginning.
pub async fn logins_go_when_they_are_over<S: Retained>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let now = shop.environment().now();
    let member = Member {
        id: fresh(shop.environment()),
        organization: shop.organization,
        name: "Ada".into(),
        email: "ada@x".into(),
        scopes: vec![Scope::Sales],
        created_at: now,
        disabled_at: None,
    };
    let id = member.id;
    made(shop.store().create_member(member, "argon2".into(), None).await.unwrap());
    let (soon, late) = (now.plus(LEASE), now.plus(KEPT_FOR));
    for (token, ends) in [([1; 32], soon), ([2; 32], late)] {
        let session = a_session(shop.environment(), token, ends);
        assert!(shop.store().create_session(shop.organization, id, session).await.unwrap());
    }
    goes_after(&shop, RetentionClass::Logins, soon, 1).await;
    assert!(shop.store().session_by_token([2; 32], now).await.unwrap().is_some());
}

/// Of all organizations, at most so many in a commit.
pub async fn audit_lines_go_by_their_age_the_oldest_first<S: Retained>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let mut written = vec![];
    for organization in [shop.stranger, shop.organization, shop.stranger, shop.organization] {
        shop.environment().advance(MICRO);
        written.push(an_act(&**shop.store(), shop.environment(), organization, "evt_1").await);
    }
    let before = written[3].at;
    assert_eq!(shop.store().delete(RetentionClass::AuditLines, before, 2).await.unwrap(), 2);
    let left = |organization| shop.store().audit_lines(organization, PageRequest::default());
    assert_eq!(left(shop.stranger).await.unwrap().items, [written[2].clone()]);
    assert_eq!(left(shop.organization).await.unwrap().items, [written[3].clone()]);
    assert_eq!(shop.store().delete(RetentionClass::AuditLines, before, 2).await.unwrap(), 1);
    goes_after(&shop, RetentionClass::AuditLines, before, 1).await;
}

/// Used is used, also when nobody remembers the reading.
pub async fn a_scan_goes_and_lets_nobody_in_again<S: Retained>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let ticket = shop.paid(&[1]).await.2[0].id;
    let first = a_scan(&shop, Some(ticket));
    let scanned = shop.store().record_scan(shop.organization, first.clone()).await.unwrap();
    assert_eq!(scanned.scan.result, ScanResult::Admitted);
    goes_after(&shop, RetentionClass::Scans, first.received_at, 1).await;
    assert_eq!(shop.store().read_scan(shop.organization, first.id).await.unwrap(), None);
    for again in [first.clone(), a_scan(&shop, Some(ticket))] {
        let answer = shop.store().record_scan(shop.organization, again).await.unwrap().scan;
        assert_eq!(answer.result, ScanResult::Refused(ScanReason::AlreadyUsed));
        assert_eq!(answer.first, Some(FirstEntry { gate: first.gate.id, at: first.received_at }));
    }
}

/// Of all events.
pub async fn counts_go_by_their_minute<S: Retained>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let minute = shop.environment().now();
    let counts = Counts { viewed: 1, held: 1, refused: 1 };
    for organization in [shop.organization, shop.stranger] {
        let scope = EventScope { organization, event: shop.event };
        shop.store().add_counts(scope, &[Counted { id: "1-0".into(), minute, counts }]).await.unwrap();
    }
    goes_after(&shop, RetentionClass::Counts, minute, 2).await;
}

/// Whatever is deleted, as late as it may be.
pub async fn money_places_and_tickets_stay<S: Retained>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, _, tickets) = shop.paid(&[1, 2]).await;
    let (sold, balances, places) = (shop.detail(order).await, shop.balances().await, shop.places(&[1, 2]).await);
    assert!(!balances.is_empty());
    let later = shop.environment().advance(KEPT_FOR * 100_000);
    for remains in RetentionClass::ALL {
        shop.store().delete(remains, later, 1_000).await.unwrap();
    }
    assert_eq!(shop.detail(order).await, sold);
    assert_eq!((shop.balances().await, shop.places(&[1, 2]).await), (balances, places));
    for ticket in tickets {
        let read = shop.store().read_ticket(shop.organization, ticket.id).await.unwrap();
        assert_eq!(read.map(|read| (read.id, read.state)), Some((ticket.id, ticket.state)));
    }
}
