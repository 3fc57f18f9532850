//! What `Presence` promises: the counts of all nodes together, each as long as its node reports; events and tenants apart (P7).

use std::time::Duration;

use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::nodes::ports::Presence;
use voelgoed_app::ticketing::ports::EventScope;

use crate::subject::{Subject, TestEnvironment};

/// Every case, as a test; `$open` opens a subject.
#[macro_export]
macro_rules! presence_suite {
    ($open:expr) => {
        $crate::cases! { presence, $open;
            nodes_are_summed_and_the_newest_report_of_each_counts
            a_node_that_died_counts_until_its_time_is_over
            a_node_without_viewers_learns_of_the_others
            events_and_organizations_are_counted_apart
        }
    };
}

const LASTS: Duration = Duration::from_secs(10);

fn an_event(environment: &TestEnvironment) -> EventScope {
    EventScope { organization: fresh(environment), event: fresh(environment) }
}

/// A second report replaces the first.
pub async fn nodes_are_summed_and_the_newest_report_of_each_counts<S: Presence>(subject: Subject<S>) {
    let (store, environment) = (&*subject.store, &*subject.environment);
    let (scope, a, b) = (an_event(environment), environment.uuid(), environment.uuid());
    for (node, viewers, all) in [(a, 3, 3), (b, 4, 7), (a, 1, 5), (a, 1, 5), (b, u32::MAX, 1 + u64::from(u32::MAX))] {
        assert_eq!(store.report(scope, node, viewers, LASTS).await.unwrap(), all, "{viewers}");
    }
}

/// To the microsecond, by the store's clock; a report lengthens it.
pub async fn a_node_that_died_counts_until_its_time_is_over<S: Presence>(subject: Subject<S>) {
    let (store, environment) = (&*subject.store, &*subject.environment);
    let (scope, dies, lives) = (an_event(environment), environment.uuid(), environment.uuid());
    store.report(scope, dies, 2, LASTS).await.unwrap();
    environment.advance(LASTS / 2);
    store.report(scope, dies, 2, LASTS).await.unwrap();
    environment.advance(LASTS - Duration::from_micros(1));
    assert_eq!(store.report(scope, lives, 5, LASTS).await.unwrap(), 7);
    environment.advance(Duration::from_micros(1));
    assert_eq!(store.report(scope, lives, 5, LASTS).await.unwrap(), 5);
    assert_eq!(store.report(scope, dies, 1, LASTS).await.unwrap(), 6, "it came back");
}

/// Nobody there is a report too.
pub async fn a_node_without_viewers_learns_of_the_others<S: Presence>(subject: Subject<S>) {
    let (store, environment) = (&*subject.store, &*subject.environment);
    let (scope, full, empty) = (an_event(environment), environment.uuid(), environment.uuid());
    assert_eq!(store.report(scope, empty, 0, LASTS).await.unwrap(), 0);
    store.report(scope, full, 9, LASTS).await.unwrap();
    assert_eq!(store.report(scope, empty, 0, LASTS).await.unwrap(), 9);
    assert_eq!(store.report(scope, full, 0, LASTS).await.unwrap(), 0, "all have left");
}

/// The same node, other events; the same event's id under another organization.
pub async fn events_and_organizations_are_counted_apart<S: Presence>(subject: Subject<S>) {
    let (store, environment) = (&*subject.store, &*subject.environment);
    let (scope, node) = (an_event(environment), environment.uuid());
    let other_event = EventScope { event: fresh(environment), ..scope };
    let other_tenant = EventScope { organization: fresh(environment), ..scope };
    for (scope, viewers) in [(scope, 1), (other_event, 10), (other_tenant, 100)] {
        assert_eq!(store.report(scope, node, viewers, LASTS).await.unwrap(), u64::from(viewers));
    }
    assert_eq!(store.report(scope, environment.uuid(), 1, LASTS).await.unwrap(), 2);
}
