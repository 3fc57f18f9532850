//! Contract tests of `AnalyticsStore`: an entry counts once, minutes are whole, and what cold stores itself is counted there (P7, P8).

use std::time::Duration;

use voelgoed_app::analytics::counters::minute_of;
use voelgoed_app::analytics::ports::{AnalyticsStore, FunnelMinute, StepCountEntry, StepCounts};
use voelgoed_app::catalog::ports::CatalogStore;
use voelgoed_app::environment::Environment;
use voelgoed_app::scanning::ports::{NewScan, ScanResult};
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::scanning::entry::{Direction, EntryRule};
use voelgoed_domain::time::Timestamp;

use crate::sales_fixture::{SalesFixture, SalesTier};
use crate::scans::new_scan;
use crate::sut::Sut;

/// Makes a test of each case; `$open` is an expression that opens a [`Sut`](crate::sut::Sut) when awaited.
#[macro_export]
macro_rules! analytics_store_suite {
    ($open:expr) => {
        $crate::cases! { analytics, $open;
            redelivered_entry_is_counted_once
            orders_and_admissions_are_counted_in_their_minute
            reentry_is_counted_once
            time_range_includes_its_start_and_excludes_its_end
            other_organizations_see_nothing
        }
    };
}

const MINUTE: Duration = Duration::from_secs(60);
const MICRO: Duration = Duration::from_micros(1);

/// The ports that the cases need.
pub trait AnalyticsTier: SalesTier + AnalyticsStore + CatalogStore {}
impl<S: SalesTier + AnalyticsStore + CatalogStore> AnalyticsTier for S {}

fn entry(id: &str, minute: Timestamp, viewed: u32) -> StepCountEntry {
    StepCountEntry { id: id.to_owned(), minute, counts: StepCounts { viewed, held: 2, refused: 1 } }
}

fn scope<S>(fixture: &SalesFixture<S>) -> EventScope {
    EventScope { organization: fixture.organization, event: fixture.event }
}

async fn funnel<S: AnalyticsTier>(fixture: &SalesFixture<S>, from: Timestamp, to: Timestamp) -> Vec<FunnelMinute> {
    fixture.store().funnel(fixture.organization, fixture.event, from, to).await.unwrap()
}

/// An entry counts once, alone or in a batch with others.
pub async fn redelivered_entry_is_counted_once<S: AnalyticsTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let at = minute_of(fixture.environment().now());
    let next = at.plus(MINUTE);
    for entries in [
        vec![entry("1-0", at, 10), entry("2-0", at, 5)],
        vec![entry("2-0", at, 5), entry("3-0", next, 1)],
        vec![entry("1-0", at, 99)],
        vec![],
    ] {
        fixture.store().add_counts(scope(&fixture), &entries).await.unwrap();
    }
    let minutes = funnel(&fixture, at, next.plus(MINUTE)).await;
    let minute = |at, viewed, held, refused| FunnelMinute { at, viewed, held, refused, ..FunnelMinute::default() };
    assert_eq!(minutes, [minute(at, 15, 4, 2), minute(next, 1, 2, 1)]);
}

/// Orders and admissions are counted in the minutes in which they happened.
pub async fn orders_and_admissions_are_counted_in_their_minute<S: AnalyticsTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let at = minute_of(fixture.environment().now());
    let ticket = fixture.paid_order(&[1]).await.2[0].id;
    fixture.placed_order(&[2]).await;
    fixture.environment().advance(MINUTE);
    let scanned = new_scan(&fixture, Some(ticket));
    fixture.store().record_scan(fixture.organization, scanned).await.unwrap();
    fixture.store().record_scan(fixture.organization, new_scan(&fixture, Some(ticket))).await.unwrap();
    fixture.store().add_counts(scope(&fixture), &[entry("1-0", at, 7)]).await.unwrap();
    let sold = FunnelMinute { at, viewed: 7, held: 2, refused: 1, ordered: 2, paid: 1, admitted: 0 };
    let entered = FunnelMinute { at: at.plus(MINUTE), admitted: 1, ..FunnelMinute::default() };
    assert_eq!(funnel(&fixture, at, at.plus(MINUTE * 2)).await, [sold, entered]);
}

/// An event with re-entry counts each ticket as admitted once.
pub async fn reentry_is_counted_once<S: AnalyticsTier>(sut: Sut<S>) {
    let mut fixture = SalesFixture::open(sut).await;
    let event = crate::catalog_fixtures::stored_event(&fixture.sut, fixture.organization).await;
    assert_eq!(event.entry_rule, EntryRule::Reentry);
    fixture.event = event.id;
    let ticket = fixture.paid_order(&[1]).await.2[0].id;
    let at = minute_of(fixture.environment().now());
    for direction in [Direction::Entry, Direction::Exit, Direction::Entry] {
        fixture.environment().advance(MINUTE);
        let scan = NewScan { direction, ..new_scan(&fixture, Some(ticket)) };
        let recorded = fixture.store().record_scan(fixture.organization, scan).await.unwrap();
        assert_eq!(recorded.scan.result, ScanResult::Admitted);
    }
    let admitted: Vec<_> = funnel(&fixture, at.plus(MINUTE), at.plus(MINUTE * 4)).await;
    assert_eq!(admitted, [FunnelMinute { at: at.plus(MINUTE), admitted: 1, ..FunnelMinute::default() }]);
}

/// Both bounds are exact to the microsecond.
pub async fn time_range_includes_its_start_and_excludes_its_end<S: AnalyticsTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let at = minute_of(fixture.environment().now());
    fixture.store().add_counts(scope(&fixture), &[entry("1-0", at, 1)]).await.unwrap();
    let ordered = fixture.environment().now();
    fixture.placed_order(&[1]).await;
    assert_eq!(funnel(&fixture, at, at.plus(MICRO)).await.len(), 1);
    assert_eq!(funnel(&fixture, at.minus(MINUTE), at).await, []);
    let figures = |minutes: Vec<FunnelMinute>| minutes.iter().map(|minute| minute.ordered).sum::<u64>();
    assert_eq!(figures(funnel(&fixture, ordered, ordered.plus(MICRO)).await), 1);
    assert_eq!(figures(funnel(&fixture, ordered.minus(MICRO), ordered).await), 0);
    assert_eq!(figures(funnel(&fixture, ordered.plus(MICRO), ordered.plus(MINUTE)).await), 0);
}

/// Neither another organization nor another event sees the counts.
pub async fn other_organizations_see_nothing<S: AnalyticsTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let at = minute_of(fixture.environment().now());
    fixture.paid_order(&[1]).await;
    fixture.store().add_counts(scope(&fixture), &[entry("1-0", at, 1)]).await.unwrap();
    let to = at.plus(MINUTE);
    assert_eq!(fixture.store().funnel(fixture.other_organization, fixture.event, at, to).await.unwrap(), []);
    let another = voelgoed_app::environment::new_id(fixture.environment());
    assert_eq!(fixture.store().funnel(fixture.organization, another, at, to).await.unwrap(), []);
}
