//! What `OfflineScanJournal` promises while cold is away: one ticket, one admission, the same answer to the same scan, nothing forgotten before cold has it (P3, P6).

use std::sync::Arc;
use std::time::Duration;

use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::scanning::ports::{FirstEntry, Gate, NewScan, OfflineScanJournal, ScanResult};
use voelgoed_app::ticketing::ports::{
    Answer, AreaSpan, EventScope, GateFilter, Install, InventoryError, InventoryStore,
};
use voelgoed_domain::ids::{AreaId, ScanId, TicketId};
use voelgoed_domain::refusal::Code;
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
            events_with_kept_scans_are_listed
            what_was_told_is_known_as_told
            what_the_filter_knows_is_refused
            whoever_is_inside_may_leave
            what_was_forced_is_kept
            only_what_cold_has_is_forgotten
            a_rebuild_forgets_nobody
            an_event_that_is_not_loaded_keeps_nothing
            other_events_keep_their_own
            many_gates_at_once_let_in_once_without_cold
            nobody_else_is_let_in_while_cold_is_asked
            what_became_of_an_act_is_known
            every_act_holds_its_tickets_by_itself
            an_announcement_is_told_what_is_kept
            a_note_goes_with_what_ends_it
            a_note_outlives_a_rebuild_and_stays_in_its_event
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
        time: None,
        window: None,
        admissions: None,
    }
}

fn ticket<S>(subject: &Subject<S>) -> TicketId {
    fresh(&*subject.environment)
}

async fn ids<S: OfflineScanJournal>(subject: &Subject<S>, scope: EventScope, ticket: Option<TicketId>) -> Vec<ScanId> {
    subject.store.kept(scope, ticket, 100).await.unwrap().iter().map(|kept| kept.scan.id).collect()
}

/// The second one hears of the first, with gate and time.
pub async fn a_ticket_is_let_in_once_without_cold<S: InventoryStore + OfflineScanJournal>(subject: Subject<S>) {
    let (scope, ticket) = (loaded(&subject).await, ticket(&subject));
    let first = a_scan(&subject, scope, ticket);
    let kept = subject.store.keep(scope, first.clone()).await.unwrap();
    assert_eq!((kept.result, &kept.first, &kept.scan), (ScanResult::Admitted, &None, &first));
    assert_eq!(subject.store.gate_filter(scope, ticket).await.unwrap(), GateFilter::Admitted);
    let second = subject.store.keep(scope, a_scan(&subject, scope, ticket)).await.unwrap();
    assert_eq!(second.result, ScanResult::Refused(ScanReason::AlreadyUsed));
    assert_eq!(second.first, Some(FirstEntry { gate: first.gate.id, at: first.received_at }));
}

/// Listed from the first kept scan until cold has the last one; other nodes find the event as well.
pub async fn events_with_kept_scans_are_listed<S: InventoryStore + OfflineScanJournal>(subject: Subject<S>) {
    let (scope, quiet) = (loaded(&subject).await, loaded(&subject).await);
    for _ in 0..2 {
        let scan = a_scan(&subject, scope, ticket(&subject));
        subject.store.keep(scope, scan.clone()).await.unwrap();
        subject.environment.advance(Duration::from_secs(3600));
        assert!(subject.store.events().await.unwrap().contains(&scope));
        assert_eq!(ids(&subject, scope, None).await, [scan.id]);
        subject.store.settle(scope, &[scan.id]).await.unwrap();
        for scope in [scope, quiet] {
            assert!(ids(&subject, scope, None).await.is_empty());
        }
        assert!(subject.store.events().await.unwrap().is_empty(), "nothing is left to ask for");
    }
}

/// A device that heard nothing sends it again.
pub async fn the_same_scan_is_kept_once<S: InventoryStore + OfflineScanJournal>(subject: Subject<S>) {
    let (scope, ticket) = (loaded(&subject).await, ticket(&subject));
    let scan = a_scan(&subject, scope, ticket);
    let first = subject.store.keep(scope, scan.clone()).await.unwrap();
    subject.environment.advance(Duration::from_secs(5));
    let again = NewScan { received_at: subject.environment.now(), ..scan.clone() };
    assert_eq!(subject.store.keep(scope, again).await.unwrap(), first);
    assert_eq!(ids(&subject, scope, None).await, [scan.id]);
}

/// Until it is forgotten; of what is not kept there is nothing to know.
pub async fn what_was_told_is_known_as_told<S: InventoryStore + OfflineScanJournal>(subject: Subject<S>) {
    let (store, scope, ticket) = (&subject.store, loaded(&subject).await, ticket(&subject));
    let [told, untold] = [a_scan(&subject, scope, ticket), a_scan(&subject, scope, ticket)];
    for scan in [&told, &untold] {
        assert!(!store.keep(scope, scan.clone()).await.unwrap().told);
    }
    store.told(scope, told.id).await.unwrap();
    assert!(store.keep(scope, told.clone()).await.unwrap().told);
    for kept in [
        store.kept(scope, None, 100).await.unwrap(),
        store.announce(scope, subject.environment.uuid(), &[ticket], 100).await.unwrap(),
    ] {
        assert_eq!(kept.len(), 2);
        assert!(kept.iter().all(|kept| kept.told == (kept.scan.id == told.id)), "{kept:?}");
    }
    store.settle(scope, &[told.id]).await.unwrap();
    store.told(scope, told.id).await.unwrap();
    assert!(!store.keep(scope, told).await.unwrap().told, "it begins anew");
    assert!(matches!(store.told(new_event(&subject), untold.id).await, Err(InventoryError::Unloaded)));
}

/// What cold had decided before.
pub async fn what_the_filter_knows_is_refused<S: InventoryStore + OfflineScanJournal>(subject: Subject<S>) {
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
pub async fn whoever_is_inside_may_leave<S: InventoryStore + OfflineScanJournal>(subject: Subject<S>) {
    let (scope, ticket) = (loaded(&subject).await, ticket(&subject));
    subject.store.keep(scope, a_scan(&subject, scope, ticket)).await.unwrap();
    let exit = NewScan { direction: Direction::Exit, ..a_scan(&subject, scope, ticket) };
    assert_eq!(subject.store.keep(scope, exit).await.unwrap().result, ScanResult::Admitted);
    let back = subject.store.keep(scope, a_scan(&subject, scope, ticket)).await.unwrap();
    assert_eq!(back.result, ScanResult::Refused(ScanReason::AlreadyUsed));
}

/// The device had let the person in already.
pub async fn what_was_forced_is_kept<S: InventoryStore + OfflineScanJournal>(subject: Subject<S>) {
    let (scope, ticket) = (loaded(&subject).await, ticket(&subject));
    subject.store.mark_revoked(scope, &[ticket]).await.unwrap();
    let forced = NewScan { forced: true, ..a_scan(&subject, scope, ticket) };
    assert_eq!(subject.store.keep(scope, forced.clone()).await.unwrap().result, ScanResult::Admitted);
    assert_eq!(ids(&subject, scope, Some(ticket)).await, [forced.id]);
}

/// Oldest first, by ticket or all; the admission stays known.
pub async fn only_what_cold_has_is_forgotten<S: InventoryStore + OfflineScanJournal>(subject: Subject<S>) {
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
pub async fn a_rebuild_forgets_nobody<S: InventoryStore + OfflineScanJournal>(subject: Subject<S>) {
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
pub async fn an_event_that_is_not_loaded_keeps_nothing<S: InventoryStore + OfflineScanJournal>(subject: Subject<S>) {
    let (scope, ticket) = (new_event(&subject), ticket(&subject));
    let kept = subject.store.keep(scope, a_scan(&subject, scope, ticket)).await;
    assert!(matches!(kept, Err(InventoryError::Unloaded)), "{kept:?}");
}

/// Nor does another event's settling touch them.
pub async fn other_events_keep_their_own<S: InventoryStore + OfflineScanJournal>(subject: Subject<S>) {
    let (here, there, ticket) = (loaded(&subject).await, loaded(&subject).await, ticket(&subject));
    let scan = a_scan(&subject, here, ticket);
    subject.store.keep(here, scan.clone()).await.unwrap();
    subject.store.settle(there, &[scan.id]).await.unwrap();
    assert!(ids(&subject, there, None).await.is_empty());
    assert_eq!(ids(&subject, here, None).await, [scan.id]);
    assert_eq!(subject.store.gate_filter(there, ticket).await.unwrap(), GateFilter::Unseen);
}

/// Whatever their order, one.
pub async fn many_gates_at_once_let_in_once_without_cold<S: InventoryStore + OfflineScanJournal>(subject: Subject<S>) {
    let (scope, ticket) = (loaded(&subject).await, ticket(&subject));
    let mut gates = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (store, scan) = (Arc::clone(&subject.store), a_scan(&subject, scope, ticket));
        gates.spawn(async move { store.keep(scope, scan).await.unwrap().result });
    }
    let admitted = gates.join_all().await.into_iter().filter(|result| *result == ScanResult::Admitted);
    assert_eq!(admitted.count(), 1);
}

fn code<T: std::fmt::Debug>(answer: Answer<T>) -> Code {
    match answer {
        Err(InventoryError::Refused(refusal)) => refusal.code,
        other => panic!("{other:?}"),
    }
}

/// What cold decided may be known to nobody any more; only the act itself goes on, and what rests on more than an unseen ticket.
pub async fn nobody_else_is_let_in_while_cold_is_asked<S: InventoryStore + OfflineScanJournal>(subject: Subject<S>) {
    let (store, scope, ticket) = (&subject.store, loaded(&subject).await, ticket(&subject));
    let own = a_scan(&subject, scope, ticket);
    assert_eq!(store.announce(scope, own.id.uuid(), &[ticket], 20).await.unwrap(), []);
    let other = a_scan(&subject, scope, ticket);
    assert_eq!(code(store.keep(scope, other.clone()).await), Code::OfflineRules);
    assert_eq!(ids(&subject, scope, None).await, [], "nothing was decided, so nothing is kept");
    let early = NewScan { early: Some(ScanReason::Expired), ..a_scan(&subject, scope, ticket) };
    let exit = NewScan { direction: Direction::Exit, ..a_scan(&subject, scope, ticket) };
    assert_eq!(store.keep(scope, early).await.unwrap().result, ScanResult::Refused(ScanReason::Expired));
    assert_eq!(store.keep(scope, exit).await.unwrap().result, ScanResult::Admitted);
    assert_eq!(code(store.keep(scope, other.clone()).await), Code::OfflineRules);
    assert_eq!(store.keep(scope, own).await.unwrap().result, ScanResult::Admitted);
    let refused = store.keep(scope, other).await.unwrap().result;
    assert_eq!(refused, ScanResult::Refused(ScanReason::AlreadyUsed), "now warm knows");
    let (scope, ticket) = (loaded(&subject).await, self::ticket(&subject));
    store.announce(scope, subject.environment.uuid(), &[ticket], 20).await.unwrap();
    let forced = NewScan { forced: true, ..a_scan(&subject, scope, ticket) };
    assert_eq!(store.keep(scope, forced).await.unwrap().result, ScanResult::Admitted);
}

/// Admitted, revoked, or as before.
pub async fn what_became_of_an_act_is_known<S: InventoryStore + OfflineScanJournal>(subject: Subject<S>) {
    let (store, scope) = (&subject.store, loaded(&subject).await);
    for (became, result) in [
        (GateFilter::Unseen, ScanResult::Admitted),
        (GateFilter::Admitted, ScanResult::Refused(ScanReason::AlreadyUsed)),
        (GateFilter::Revoked, ScanResult::Refused(ScanReason::Revoked)),
    ] {
        for announced in [true, false] {
            let (act, tickets) = (subject.environment.uuid(), [ticket(&subject), ticket(&subject)]);
            if announced {
                store.announce(scope, act, &tickets, 20).await.unwrap();
                store.announce(scope, act, &tickets, 20).await.unwrap();
            }
            store.answered(scope, act, &tickets, became).await.unwrap();
            for ticket in tickets {
                assert_eq!(store.gate_filter(scope, ticket).await.unwrap(), became, "{announced}");
                let kept = store.keep(scope, a_scan(&subject, scope, ticket)).await.unwrap();
                assert_eq!(kept.result, result, "{became:?} {announced}");
            }
        }
    }
}

/// One that ends leaves the other's note.
pub async fn every_act_holds_its_tickets_by_itself<S: InventoryStore + OfflineScanJournal>(subject: Subject<S>) {
    let (store, scope, ticket) = (&subject.store, loaded(&subject).await, ticket(&subject));
    let [one, two] = [a_scan(&subject, scope, ticket), a_scan(&subject, scope, ticket)];
    for scan in [&one, &two] {
        store.announce(scope, scan.id.uuid(), &[ticket], 20).await.unwrap();
    }
    assert_eq!(code(store.keep(scope, one.clone()).await), Code::OfflineRules, "the other may have been let in");
    store.answered(scope, two.id.uuid(), &[ticket], GateFilter::Unseen).await.unwrap();
    assert_eq!(store.keep(scope, one).await.unwrap().result, ScanResult::Admitted);
    assert_eq!(store.keep(scope, two).await.unwrap().result, ScanResult::Refused(ScanReason::AlreadyUsed));
}

/// Of all its tickets, so that it reaches cold first.
pub async fn an_announcement_is_told_what_is_kept<S: InventoryStore + OfflineScanJournal>(subject: Subject<S>) {
    let (store, scope) = (&subject.store, loaded(&subject).await);
    let tickets = [ticket(&subject), ticket(&subject)];
    let mut kept = Vec::new();
    for ticket in [tickets[0], tickets[1], tickets[0], self::ticket(&subject)] {
        subject.environment.advance(Duration::from_secs(1));
        kept.push(store.keep(scope, a_scan(&subject, scope, ticket)).await.unwrap());
    }
    let act = subject.environment.uuid();
    let told = store.announce(scope, act, &tickets, 20).await.unwrap();
    assert_eq!(told, [kept[0].clone(), kept[2].clone(), kept[1].clone()]);
    assert_eq!(store.announce(scope, act, &tickets, 2).await.unwrap().len(), 2);
    assert_eq!(ids(&subject, scope, None).await.len(), 4, "they stay until they are settled");
}

/// The outbox's mark, and cold's taking over of the scan itself.
pub async fn a_note_goes_with_what_ends_it<S: InventoryStore + OfflineScanJournal>(subject: Subject<S>) {
    let (store, scope) = (&subject.store, loaded(&subject).await);
    let [admitted, revoked, refused] = [ticket(&subject), ticket(&subject), ticket(&subject)];
    let expired = NewScan { early: Some(ScanReason::Expired), ..a_scan(&subject, scope, refused) };
    for (act, ticket) in
        [(subject.environment.uuid(), admitted), (subject.environment.uuid(), revoked), (expired.id.uuid(), refused)]
    {
        store.announce(scope, act, &[ticket], 20).await.unwrap();
    }
    store.mark_admitted(scope, admitted).await.unwrap();
    store.mark_revoked(scope, &[revoked]).await.unwrap();
    store.keep(scope, expired.clone()).await.unwrap();
    assert_eq!(code(store.keep(scope, a_scan(&subject, scope, refused)).await), Code::OfflineRules);
    store.settle(scope, &[expired.id]).await.unwrap();
    for (ticket, result) in [
        (admitted, ScanResult::Refused(ScanReason::AlreadyUsed)),
        (revoked, ScanResult::Refused(ScanReason::Revoked)),
        (refused, ScanResult::Admitted),
    ] {
        assert_eq!(store.keep(scope, a_scan(&subject, scope, ticket)).await.unwrap().result, result);
    }
}

/// A rebuild reads a cold that may be written right after.
pub async fn a_note_outlives_a_rebuild_and_stays_in_its_event<S: InventoryStore + OfflineScanJournal>(
    subject: Subject<S>,
) {
    let (store, here, there) = (&subject.store, loaded(&subject).await, loaded(&subject).await);
    let (act, ticket, nowhere) = (subject.environment.uuid(), ticket(&subject), new_event(&subject));
    store.announce(here, act, &[ticket], 20).await.unwrap();
    store.answered(there, act, &[ticket], GateFilter::Unseen).await.unwrap();
    install(&subject, here, 2).await;
    assert_eq!(code(store.keep(here, a_scan(&subject, here, ticket)).await), Code::OfflineRules);
    assert_eq!(store.keep(there, a_scan(&subject, there, ticket)).await.unwrap().result, ScanResult::Admitted);
    assert!(matches!(store.announce(nowhere, act, &[ticket], 20).await, Err(InventoryError::Unloaded)));
    let answered = store.answered(nowhere, act, &[ticket], GateFilter::Admitted).await;
    assert!(matches!(answered, Err(InventoryError::Unloaded)));
}
