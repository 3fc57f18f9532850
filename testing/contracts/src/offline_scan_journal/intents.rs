//! Cases of intents: while cold may have decided about a ticket, warm admits no other scan of it (P6).

use std::time::Duration;

use voelgoed_app::environment::Environment;
use voelgoed_app::scanning::ports::{NewScan, OfflineScanJournal, ScanResult};
use voelgoed_app::ticketing::ports::{GateFilter, InventoryError, InventoryResult, InventoryStore};
use voelgoed_domain::refusal::Code;
use voelgoed_domain::scanning::entry::{Direction, ScanReason};

use super::{install, loaded, new_scan, new_scope, new_ticket, pending_ids};
use crate::sut::Sut;

fn code<T: std::fmt::Debug>(answer: InventoryResult<T>) -> Code {
    match answer {
        Err(InventoryError::Refused(refusal)) => refusal.code,
        other => panic!("{other:?}"),
    }
}

/// Only the scan of the intent itself is admitted, and scans whose result does not depend on the ticket being unused.
pub async fn open_intent_blocks_other_admissions<S: InventoryStore + OfflineScanJournal>(sut: Sut<S>) {
    let (store, scope, ticket) = (&sut.store, loaded(&sut).await, new_ticket(&sut));
    let own = new_scan(&sut, scope, ticket);
    assert_eq!(store.begin_intent(scope, own.id.uuid(), &[ticket], 20).await.unwrap(), []);
    let other = new_scan(&sut, scope, ticket);
    assert_eq!(code(store.decide_and_append(scope, other.clone()).await), Code::OfflineRules);
    assert_eq!(pending_ids(&sut, scope, None).await, [], "nothing was decided, so nothing is stored");
    let early = NewScan { early: Some(ScanReason::Expired), ..new_scan(&sut, scope, ticket) };
    let exit = NewScan { direction: Direction::Exit, ..new_scan(&sut, scope, ticket) };
    assert_eq!(store.decide_and_append(scope, early).await.unwrap().result, ScanResult::Refused(ScanReason::Expired));
    assert_eq!(store.decide_and_append(scope, exit).await.unwrap().result, ScanResult::Admitted);
    assert_eq!(code(store.decide_and_append(scope, other.clone()).await), Code::OfflineRules);
    assert_eq!(store.decide_and_append(scope, own).await.unwrap().result, ScanResult::Admitted);
    let refused = store.decide_and_append(scope, other).await.unwrap().result;
    assert_eq!(refused, ScanResult::Refused(ScanReason::AlreadyUsed), "now the gate filter has it");
    let (scope, ticket) = (loaded(&sut).await, new_ticket(&sut));
    store.begin_intent(scope, sut.environment.uuid(), &[ticket], 20).await.unwrap();
    let forced = NewScan { forced: true, ..new_scan(&sut, scope, ticket) };
    assert_eq!(store.decide_and_append(scope, forced).await.unwrap().result, ScanResult::Admitted);
}

/// The outcome is admitted, revoked, or unseen as before.
pub async fn resolved_intent_sets_the_gate_filter<S: InventoryStore + OfflineScanJournal>(sut: Sut<S>) {
    let (store, scope) = (&sut.store, loaded(&sut).await);
    for (outcome, result) in [
        (GateFilter::Unseen, ScanResult::Admitted),
        (GateFilter::Admitted, ScanResult::Refused(ScanReason::AlreadyUsed)),
        (GateFilter::Revoked, ScanResult::Refused(ScanReason::Revoked)),
    ] {
        for has_intent in [true, false] {
            let (intent, tickets) = (sut.environment.uuid(), [new_ticket(&sut), new_ticket(&sut)]);
            if has_intent {
                store.begin_intent(scope, intent, &tickets, 20).await.unwrap();
                store.begin_intent(scope, intent, &tickets, 20).await.unwrap();
            }
            store.resolve_intent(scope, intent, &tickets, outcome).await.unwrap();
            for ticket in tickets {
                assert_eq!(store.gate_filter(scope, ticket).await.unwrap(), outcome, "{has_intent}");
                let stored = store.decide_and_append(scope, new_scan(&sut, scope, ticket)).await.unwrap();
                assert_eq!(stored.result, result, "{outcome:?} {has_intent}");
            }
        }
    }
}

/// Resolving one intent keeps the other one of the same ticket.
pub async fn each_intent_is_resolved_separately<S: InventoryStore + OfflineScanJournal>(sut: Sut<S>) {
    let (store, scope, ticket) = (&sut.store, loaded(&sut).await, new_ticket(&sut));
    let [one, two] = [new_scan(&sut, scope, ticket), new_scan(&sut, scope, ticket)];
    for scan in [&one, &two] {
        store.begin_intent(scope, scan.id.uuid(), &[ticket], 20).await.unwrap();
    }
    assert_eq!(
        code(store.decide_and_append(scope, one.clone()).await),
        Code::OfflineRules,
        "the other one may have been admitted"
    );
    store.resolve_intent(scope, two.id.uuid(), &[ticket], GateFilter::Unseen).await.unwrap();
    assert_eq!(store.decide_and_append(scope, one).await.unwrap().result, ScanResult::Admitted);
    assert_eq!(store.decide_and_append(scope, two).await.unwrap().result, ScanResult::Refused(ScanReason::AlreadyUsed));
}

/// The caller writes them to cold first.
pub async fn begin_intent_returns_pending_scans<S: InventoryStore + OfflineScanJournal>(sut: Sut<S>) {
    let (store, scope) = (&sut.store, loaded(&sut).await);
    let tickets = [new_ticket(&sut), new_ticket(&sut)];
    let mut stored = Vec::new();
    for ticket in [tickets[0], tickets[1], tickets[0], new_ticket(&sut)] {
        sut.environment.advance(Duration::from_secs(1));
        stored.push(store.decide_and_append(scope, new_scan(&sut, scope, ticket)).await.unwrap());
    }
    let intent = sut.environment.uuid();
    let acknowledged = store.begin_intent(scope, intent, &tickets, 20).await.unwrap();
    assert_eq!(acknowledged, [stored[0].clone(), stored[2].clone(), stored[1].clone()]);
    assert_eq!(store.begin_intent(scope, intent, &tickets, 2).await.unwrap().len(), 2);
    assert_eq!(pending_ids(&sut, scope, None).await.len(), 4, "they stay until they are removed");
}

/// Marks of the outbox end an intent, and so does removing the scan itself.
pub async fn mark_or_removed_scan_ends_its_intent<S: InventoryStore + OfflineScanJournal>(sut: Sut<S>) {
    let (store, scope) = (&sut.store, loaded(&sut).await);
    let [admitted, revoked, refused] = [new_ticket(&sut), new_ticket(&sut), new_ticket(&sut)];
    let expired = NewScan { early: Some(ScanReason::Expired), ..new_scan(&sut, scope, refused) };
    for (intent, ticket) in
        [(sut.environment.uuid(), admitted), (sut.environment.uuid(), revoked), (expired.id.uuid(), refused)]
    {
        store.begin_intent(scope, intent, &[ticket], 20).await.unwrap();
    }
    store.mark_admitted(scope, admitted).await.unwrap();
    store.mark_revoked(scope, &[revoked]).await.unwrap();
    store.decide_and_append(scope, expired.clone()).await.unwrap();
    assert_eq!(code(store.decide_and_append(scope, new_scan(&sut, scope, refused)).await), Code::OfflineRules);
    store.remove_recorded(scope, &[expired.id]).await.unwrap();
    for (ticket, result) in [
        (admitted, ScanResult::Refused(ScanReason::AlreadyUsed)),
        (revoked, ScanResult::Refused(ScanReason::Revoked)),
        (refused, ScanResult::Admitted),
    ] {
        assert_eq!(store.decide_and_append(scope, new_scan(&sut, scope, ticket)).await.unwrap().result, result);
    }
}

/// A rebuild may read cold just before the intent's commit.
pub async fn intent_survives_a_rebuild_and_belongs_to_one_event<S: InventoryStore + OfflineScanJournal>(sut: Sut<S>) {
    let (store, here, there) = (&sut.store, loaded(&sut).await, loaded(&sut).await);
    let (intent, ticket, unloaded) = (sut.environment.uuid(), new_ticket(&sut), new_scope(&sut));
    store.begin_intent(here, intent, &[ticket], 20).await.unwrap();
    store.resolve_intent(there, intent, &[ticket], GateFilter::Unseen).await.unwrap();
    install(&sut, here, 2).await;
    assert_eq!(code(store.decide_and_append(here, new_scan(&sut, here, ticket)).await), Code::OfflineRules);
    assert_eq!(
        store.decide_and_append(there, new_scan(&sut, there, ticket)).await.unwrap().result,
        ScanResult::Admitted
    );
    assert!(matches!(store.begin_intent(unloaded, intent, &[ticket], 20).await, Err(InventoryError::Unloaded)));
    let answered = store.resolve_intent(unloaded, intent, &[ticket], GateFilter::Admitted).await;
    assert!(matches!(answered, Err(InventoryError::Unloaded)));
}
