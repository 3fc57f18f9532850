//! Contract tests of `Presence`: the sum over all nodes, each until its report expires; events and organizations are separate (P7).

use std::time::Duration;

use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::nodes::ports::Presence;
use voelgoed_app::ticketing::ports::EventScope;

use crate::sut::{Sut, TestEnvironment};

/// Makes a test of each case; `$open` is an expression that opens a [`Sut`](crate::sut::Sut) when awaited.
#[macro_export]
macro_rules! presence_suite {
    ($open:expr) => {
        $crate::cases! { presence, $open;
            newest_report_of_each_node_is_summed
            report_of_a_dead_node_counts_until_it_expires
            node_without_viewers_gets_the_total
            events_and_organizations_are_counted_separately
        }
    };
}

const REPORT_TTL: Duration = Duration::from_secs(10);

fn new_scope(environment: &TestEnvironment) -> EventScope {
    EventScope { organization: new_id(environment), event: new_id(environment) }
}

/// A second report replaces the first.
pub async fn newest_report_of_each_node_is_summed<S: Presence>(sut: Sut<S>) {
    let (store, environment) = (&*sut.store, &*sut.environment);
    let (scope, a, b) = (new_scope(environment), environment.uuid(), environment.uuid());
    for (node, viewers, all) in [(a, 3, 3), (b, 4, 7), (a, 1, 5), (a, 1, 5), (b, u32::MAX, 1 + u64::from(u32::MAX))] {
        assert_eq!(store.report(scope, node, viewers, REPORT_TTL).await.unwrap(), all, "{viewers}");
    }
}

/// A report expires to the microsecond by the store's clock; the next report renews it.
pub async fn report_of_a_dead_node_counts_until_it_expires<S: Presence>(sut: Sut<S>) {
    let (store, environment) = (&*sut.store, &*sut.environment);
    let (scope, dead, live) = (new_scope(environment), environment.uuid(), environment.uuid());
    store.report(scope, dead, 2, REPORT_TTL).await.unwrap();
    environment.advance(REPORT_TTL / 2);
    store.report(scope, dead, 2, REPORT_TTL).await.unwrap();
    environment.advance(REPORT_TTL - Duration::from_micros(1));
    assert_eq!(store.report(scope, live, 5, REPORT_TTL).await.unwrap(), 7);
    environment.advance(Duration::from_micros(1));
    assert_eq!(store.report(scope, live, 5, REPORT_TTL).await.unwrap(), 5);
    assert_eq!(store.report(scope, dead, 1, REPORT_TTL).await.unwrap(), 6, "the node reports again");
}

/// Zero viewers is a report as well.
pub async fn node_without_viewers_gets_the_total<S: Presence>(sut: Sut<S>) {
    let (store, environment) = (&*sut.store, &*sut.environment);
    let (scope, full, empty) = (new_scope(environment), environment.uuid(), environment.uuid());
    assert_eq!(store.report(scope, empty, 0, REPORT_TTL).await.unwrap(), 0);
    store.report(scope, full, 9, REPORT_TTL).await.unwrap();
    assert_eq!(store.report(scope, empty, 0, REPORT_TTL).await.unwrap(), 9);
    assert_eq!(store.report(scope, full, 0, REPORT_TTL).await.unwrap(), 0, "all have left");
}

/// The same event id in another organization is another event (P7).
pub async fn events_and_organizations_are_counted_separately<S: Presence>(sut: Sut<S>) {
    let (store, environment) = (&*sut.store, &*sut.environment);
    let (scope, node) = (new_scope(environment), environment.uuid());
    let other_event = EventScope { event: new_id(environment), ..scope };
    let other_tenant = EventScope { organization: new_id(environment), ..scope };
    for (scope, viewers) in [(scope, 1), (other_event, 10), (other_tenant, 100)] {
        assert_eq!(store.report(scope, node, viewers, REPORT_TTL).await.unwrap(), u64::from(viewers));
    }
    assert_eq!(store.report(scope, environment.uuid(), 1, REPORT_TTL).await.unwrap(), 2);
}
