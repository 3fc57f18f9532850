//! What `AnalyticsStore` promises: an entry counts once, minutes are whole, and what cold knows itself is counted there (P7, P8).

use std::time::Duration;

use voelgoed_app::analytics::counters::minute_of;
use voelgoed_app::analytics::ports::{AnalyticsStore, Counted, Counts, Minute};
use voelgoed_app::catalog::ports::CatalogStore;
use voelgoed_app::environment::Environment;
use voelgoed_app::scanning::ports::{NewScan, ScanResult};
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::scanning::entry::{Direction, EntryRule};
use voelgoed_domain::time::Timestamp;

use crate::scans::a_scan;
use crate::selling::{Shop, Tier};
use crate::subject::Subject;

/// Every case, as a test; `$open` opens a subject.
#[macro_export]
macro_rules! analytics_store_suite {
    ($open:expr) => {
        $crate::cases! { analytics, $open;
            an_entry_counts_once_however_often_it_comes
            orders_and_entries_are_counted_where_they_are
            who_comes_again_is_counted_once
            a_span_has_its_first_moment_and_not_its_last
            strangers_see_nothing
        }
    };
}

const MINUTE: Duration = Duration::from_secs(60);
const MICRO: Duration = Duration::from_micros(1);

/// What the cases need of an adapter.
pub trait Figures: Tier + AnalyticsStore + CatalogStore {}
impl<S: Tier + AnalyticsStore + CatalogStore> Figures for S {}

fn entry(id: &str, minute: Timestamp, viewed: u32) -> Counted {
    Counted { id: id.to_owned(), minute, counts: Counts { viewed, held: 2, refused: 1 } }
}

fn scope<S>(shop: &Shop<S>) -> EventScope {
    EventScope { organization: shop.organization, event: shop.event }
}

async fn funnel<S: Figures>(shop: &Shop<S>, from: Timestamp, to: Timestamp) -> Vec<Minute> {
    shop.store().funnel(shop.organization, shop.event, from, to).await.unwrap()
}

/// In one batch with others or alone.
pub async fn an_entry_counts_once_however_often_it_comes<S: Figures>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let at = minute_of(shop.environment().now());
    let next = at.plus(MINUTE);
    for entries in [
        vec![entry("1-0", at, 10), entry("2-0", at, 5)],
        vec![entry("2-0", at, 5), entry("3-0", next, 1)],
        vec![entry("1-0", at, 99)],
        vec![],
    ] {
        shop.store().add_counts(scope(&shop), &entries).await.unwrap();
    }
    let minutes = funnel(&shop, at, next.plus(MINUTE)).await;
    let seen = |at, viewed, held, refused| Minute { at, viewed, held, refused, ..Minute::default() };
    assert_eq!(minutes, [seen(at, 15, 4, 2), seen(next, 1, 2, 1)]);
}

/// In the minutes in which they happened.
pub async fn orders_and_entries_are_counted_where_they_are<S: Figures>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let at = minute_of(shop.environment().now());
    let ticket = shop.paid(&[1]).await.2[0].id;
    shop.ordered(&[2]).await;
    shop.environment().advance(MINUTE);
    let scanned = a_scan(&shop, Some(ticket));
    shop.store().record_scan(shop.organization, scanned).await.unwrap();
    shop.store().record_scan(shop.organization, a_scan(&shop, Some(ticket))).await.unwrap();
    shop.store().add_counts(scope(&shop), &[entry("1-0", at, 7)]).await.unwrap();
    let sold = Minute { at, viewed: 7, held: 2, refused: 1, ordered: 2, paid: 1, admitted: 0 };
    let entered = Minute { at: at.plus(MINUTE), admitted: 1, ..Minute::default() };
    assert_eq!(funnel(&shop, at, at.plus(MINUTE * 2)).await, [sold, entered]);
}

/// An event that lets people out and in again admits each of them once.
pub async fn who_comes_again_is_counted_once<S: Figures>(subject: Subject<S>) {
    let mut shop = Shop::open(subject).await;
    let event = crate::catalogue::event(&shop.subject, shop.organization).await;
    assert_eq!(event.entry_rule, EntryRule::Reentry);
    shop.event = event.id;
    let ticket = shop.paid(&[1]).await.2[0].id;
    let at = minute_of(shop.environment().now());
    for direction in [Direction::Entry, Direction::Exit, Direction::Entry] {
        shop.environment().advance(MINUTE);
        let passes = NewScan { direction, ..a_scan(&shop, Some(ticket)) };
        let recorded = shop.store().record_scan(shop.organization, passes).await.unwrap();
        assert_eq!(recorded.scan.result, ScanResult::Admitted);
    }
    let admitted: Vec<_> = funnel(&shop, at.plus(MINUTE), at.plus(MINUTE * 4)).await;
    assert_eq!(admitted, [Minute { at: at.plus(MINUTE), admitted: 1, ..Minute::default() }]);
}

/// To the microsecond.
pub async fn a_span_has_its_first_moment_and_not_its_last<S: Figures>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let at = minute_of(shop.environment().now());
    shop.store().add_counts(scope(&shop), &[entry("1-0", at, 1)]).await.unwrap();
    let ordered = shop.environment().now();
    shop.ordered(&[1]).await;
    assert_eq!(funnel(&shop, at, at.plus(MICRO)).await.len(), 1);
    assert_eq!(funnel(&shop, at.minus(MINUTE), at).await, []);
    let figures = |minutes: Vec<Minute>| minutes.iter().map(|minute| minute.ordered).sum::<u64>();
    assert_eq!(figures(funnel(&shop, ordered, ordered.plus(MICRO)).await), 1);
    assert_eq!(figures(funnel(&shop, ordered.minus(MICRO), ordered).await), 0);
    assert_eq!(figures(funnel(&shop, ordered.plus(MICRO), ordered.plus(MINUTE)).await), 0);
}

/// Neither another tenant nor another event.
pub async fn strangers_see_nothing<S: Figures>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let at = minute_of(shop.environment().now());
    shop.paid(&[1]).await;
    shop.store().add_counts(scope(&shop), &[entry("1-0", at, 1)]).await.unwrap();
    let to = at.plus(MINUTE);
    assert_eq!(shop.store().funnel(shop.stranger, shop.event, at, to).await.unwrap(), []);
    let another = voelgoed_app::environment::fresh(shop.environment());
    assert_eq!(shop.store().funnel(shop.organization, another, at, to).await.unwrap(), []);
}
