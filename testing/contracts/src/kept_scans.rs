//! What `KeptScans` promises while cold is away: one ticket, one admission, the same answer to the same scan, nothing forgotten before cold has it (P3, P6).

use std::sync::Arc;
use std::time::Duration;

use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::scanning::ports::{FirstEntry, Gate, KeptScans, NewScan, ScanResult};
use voelgoed_app::ticketing::ports::{AreaSpan, EventScope, GateFilter, Install, InventoryError, InventoryStore};
use voelgoed_domain::ids::{AreaId, ScanId, TicketId};
use voelgoed_domain::scanning::entry::{Direction, ScanReason};
use voelgoed_domain::ticketing::place::Epoch;

use crate::subject::Subject;

/// Every case, as a test; `$open` opens a subject.
#[macro_export]
macro_rules! kept_scans_suite {
    ($open:expr) => {
        $crate::cases! { kept_scans, $open;
            a_ticket_is_let_in_once_without_cold
            the_same_scan_is_kept_once
            what_the_filter_knows_is_refused
            whoever_is_inside_may_leave
            what_was_forced_is_kept
            only_what_cold_has_is_forgotten
            a_rebuild_forgets_nobody
            an_event_that_is_not_loaded_keeps_nothing
            other_events_keep_their_own
            many_gates_at_once_let_in_once_without_cold
        }
    };
}

async fn loaded<S: InventoryStore>(subject: &Subject<S>) -> EventScope {
    let scope = new_event(subject);
    install(subject, scope, 1).await;
    scope
}

async fn install<S: InventoryStore>(subject: &Subject<S>, scope: EventScope, epoch: u64) {
    let lease = subject.environment.uuid();
    subject.store.lease_rebuild(scope, lease, Duration::from_secs(60)).await.unwrap();
    subject.store.install(scope, lease, plan(epoch)).await.unwrap();
}

fn new_event<S>(subject: &Subject<S>) -> EventScope {
    let environment: &dyn Environment = &*subject.environment;
    EventScope { organization: fresh(environment), event: fresh(environment) }
}

/// A floor of ten.
fn plan(epoch: u64) -> Install {
    let floor = AreaSpan { area: AreaId::from_uuid(uuid::Uuid::from_u128(1)), places: 0..10, seated: false };
    Install { epoch: Epoch(epoch), areas: vec![floor], places: vec![], revoked: vec![], admitted: vec![] }
}

fn a_scan<S>(subject: &Subject<S>, scope: EventScope, ticket: TicketId) -> NewScan {
    let environment: &dyn Environment = &*subject.environment;
    NewScan {
        id: fresh(environment),
        event: scope.event,
        ticket: Some(ticket),
        gate: Gate { id: fresh(environment), event: scope.event, name: "North".into(), areas: vec![] },
        device: fresh(environment),
        direction: Direction::Entry,
        scanned_at: environment.now().minus(Duration::from_secs(3)),
        received_at: environment.now(),
        forced: false,
        early: None,
    }
}

fn ticket<S>(subject: &Subject<S>) -> TicketId {
    fresh(&*subject.environment)
}

async fn ids<S: KeptScans>(subject: &Subject<S>, scope: EventScope, ticket: Option<TicketId>) -> Vec<ScanId> {
    subject.store.kept(scope, ticket, 100).await.unwrap().iter().map(|kept| kept.scan.id).collect()
}

/// The second one hears of the first, with gate and time.
pub async fn a_ticket_is_let_in_once_without_cold<S: InventoryStore + KeptScans>(subject: Subject<S>) {
    let (scope, ticket) = (loaded(&subject).await, ticket(&subject));
    let first = a_scan(&subject, scope, ticket);
    let kept = subject.store.keep(scope, first.clone()).await.unwrap();
    assert_eq!((kept.result, &kept.first, &kept.scan), (ScanResult::Admitted, &None, &first));
    assert_eq!(subject.store.gate_filter(scope, ticket).await.unwrap(), GateFilter::Admitted);
    let second = subject.store.keep(scope, a_scan(&subject, scope, ticket)).await.unwrap();
    assert_eq!(second.result, ScanResult::Refused(ScanReason::AlreadyUsed));
    assert_eq!(second.first, Some(FirstEntry { gate: first.gate.id, at: first.received_at }));
}

/// A device that heard nothing sends it again.
pub async fn the_same_scan_is_kept_once<S: InventoryStore + KeptScans>(subject: Subject<S>) {
    let (scope, ticket) = (loaded(&subject).await, ticket(&subject));
    let scan = a_scan(&subject, scope, ticket);
    let first = subject.store.keep(scope, scan.clone()).await.unwrap();
    subject.environment.advance(Duration::from_secs(5));
    let again = NewScan { received_at: subject.environment.now(), ..scan.clone() };
    assert_eq!(subject.store.keep(scope, again).await.unwrap(), first);
    assert_eq!(ids(&subject, scope, None).await, [scan.id]);
}

/// What cold had decided before.
pub async fn what_the_filter_knows_is_refused<S: InventoryStore + KeptScans>(subject: Subject<S>) {
    let (scope, used, revoked) = (loaded(&subject).await, ticket(&subject), ticket(&subject));
    subject.store.mark_admitted(scope, used).await.unwrap();
    subject.store.mark_revoked(scope, &[revoked]).await.unwrap();
    for (ticket, reason) in [(used, ScanReason::AlreadyUsed), (revoked, ScanReason::Revoked)] {
        let kept = subject.store.keep(scope, a_scan(&subject, scope, ticket)).await.unwrap();
        assert_eq!((kept.result, kept.first), (ScanResult::Refused(reason), None));
    }
    let early = NewScan { early: Some(ScanReason::Expired), ..a_scan(&subject, scope, ticket(&subject)) };
    let kept = subject.store.keep(scope, early).await.unwrap();
    assert_eq!(kept.result, ScanResult::Refused(ScanReason::Expired));
    assert_eq!(ids(&subject, scope, None).await.len(), 3, "refusals are kept too");
}

/// And is not let in again by that.
pub async fn whoever_is_inside_may_leave<S: InventoryStore + KeptScans>(subject: Subject<S>) {
    let (scope, ticket) = (loaded(&subject).await, ticket(&subject));
    subject.store.keep(scope, a_scan(&subject, scope, ticket)).await.unwrap();
    let exit = NewScan { direction: Direction::Exit, ..a_scan(&subject, scope, ticket) };
    assert_eq!(subject.store.keep(scope, exit).await.unwrap().result, ScanResult::Admitted);
    let back = subject.store.keep(scope, a_scan(&subject, scope, ticket)).await.unwrap();
    assert_eq!(back.result, ScanResult::Refused(ScanReason::AlreadyUsed));
}

/// The device had let the person in already.
pub async fn what_was_forced_is_kept<S: InventoryStore + KeptScans>(subject: Subject<S>) {
    let (scope, ticket) = (loaded(&subject).await, ticket(&subject));
    subject.store.mark_revoked(scope, &[ticket]).await.unwrap();
    let forced = NewScan { forced: true, ..a_scan(&subject, scope, ticket) };
    assert_eq!(subject.store.keep(scope, forced.clone()).await.unwrap().result, ScanResult::Admitted);
    assert_eq!(ids(&subject, scope, Some(ticket)).await, [forced.id]);
}

/// Oldest first, by ticket or all; the admission stays known.
pub async fn only_what_cold_has_is_forgotten<S: InventoryStore + KeptScans>(subject: Subject<S>) {
    let (scope, one, two) = (loaded(&subject).await, ticket(&subject), ticket(&subject));
    let mut scans = Vec::new();
    for ticket in [one, two, one] {
        subject.environment.advance(Duration::from_secs(1));
        let scan = a_scan(&subject, scope, ticket);
        subject.store.keep(scope, scan.clone()).await.unwrap();
        scans.push(scan.id);
    }
    assert_eq!(ids(&subject, scope, None).await, scans);
    assert_eq!(ids(&subject, scope, Some(one)).await, [scans[0], scans[2]]);
    assert_eq!(subject.store.kept(scope, None, 2).await.unwrap().len(), 2);
    subject.store.settle(scope, &[scans[0], scans[1]]).await.unwrap();
    subject.store.settle(scope, &[scans[0]]).await.unwrap();
    assert_eq!(ids(&subject, scope, None).await, [scans[2]]);
    for ticket in [one, two] {
        assert_eq!(subject.store.gate_filter(scope, ticket).await.unwrap(), GateFilter::Admitted);
    }
}

/// Cold does not know of the entry yet when the event is loaded anew.
pub async fn a_rebuild_forgets_nobody<S: InventoryStore + KeptScans>(subject: Subject<S>) {
    let (scope, ticket) = (loaded(&subject).await, ticket(&subject));
    let scan = a_scan(&subject, scope, ticket);
    subject.store.keep(scope, scan.clone()).await.unwrap();
    install(&subject, scope, 2).await;
    let second = subject.store.keep(scope, a_scan(&subject, scope, ticket)).await.unwrap();
    assert_eq!(second.result, ScanResult::Refused(ScanReason::AlreadyUsed));
    subject.store.settle(scope, &[scan.id]).await.unwrap();
    assert_eq!(subject.store.gate_filter(scope, ticket).await.unwrap(), GateFilter::Admitted);
}

/// Nobody is let in on the word of a store that knows nothing.
pub async fn an_event_that_is_not_loaded_keeps_nothing<S: InventoryStore + KeptScans>(subject: Subject<S>) {
    let (scope, ticket) = (new_event(&subject), ticket(&subject));
    let kept = subject.store.keep(scope, a_scan(&subject, scope, ticket)).await;
    assert!(matches!(kept, Err(InventoryError::Unloaded)), "{kept:?}");
}

/// Nor does another event's settling touch them.
pub async fn other_events_keep_their_own<S: InventoryStore + KeptScans>(subject: Subject<S>) {
    let (here, there, ticket) = (loaded(&subject).await, loaded(&subject).await, ticket(&subject));
    let scan = a_scan(&subject, here, ticket);
    subject.store.keep(here, scan.clone()).await.unwrap();
    subject.store.settle(there, &[scan.id]).await.unwrap();
    assert!(ids(&subject, there, None).await.is_empty());
    assert_eq!(ids(&subject, here, None).await, [scan.id]);
    assert_eq!(subject.store.gate_filter(there, ticket).await.unwrap(), GateFilter::Unseen);
}

/// Whatever their order, one.
pub async fn many_gates_at_once_let_in_once_without_cold<S: InventoryStore + KeptScans>(subject: Subject<S>) {
    let (scope, ticket) = (loaded(&subject).await, ticket(&subject));
    let mut gates = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (store, scan) = (Arc::clone(&subject.store), a_scan(&subject, scope, ticket));
        gates.spawn(async move { store.keep(scope, scan).await.unwrap().result });
    }
    let admitted = gates.join_all().await.into_iter().filter(|result| *result == ScanResult::Admitted);
    assert_eq!(admitted.count(), 1);
}
