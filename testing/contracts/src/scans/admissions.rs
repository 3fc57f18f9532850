//! Cases of admissions: one per ticket, also for concurrent and repeated scans (P3, P6).

use std::time::Duration;

use voelgoed_app::catalog::ports::CatalogStore;
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::page::PageRequest;
use voelgoed_app::scanning::ports::{FirstEntry, NewScan, RecordedScan, ScanResult};
use voelgoed_domain::scanning::entry::{Direction, EntryRule, ScanReason};
use voelgoed_domain::scanning::ticket::TicketState;

use super::{new_scan, paid_ticket, record_scan};
use crate::sales_fixture::{SalesFixture, SalesTier};
use crate::sut::Sut;

/// The refusal names gate and time of the first entry, also long after (P6).
pub async fn second_scan_of_a_ticket_is_refused_with_the_first_entry<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let ticket = paid_ticket(&fixture, 1).await;
    fixture.take_events().await;
    let first = new_scan(&fixture, Some(ticket));
    let admitted = record_scan(&fixture, &first).await;
    assert!(!admitted.repeated);
    let stored = admitted.scan;
    assert_eq!((stored.id, stored.event, stored.ticket), (first.id, fixture.event, Some(ticket)));
    assert_eq!((stored.label.as_deref(), stored.ticket_type_name.as_deref()), (Some("Seat 1"), Some("Adult")));
    assert_eq!((stored.gate, stored.device, stored.direction), (first.gate.id, first.device, Direction::Entry));
    assert_eq!(
        (stored.result, &stored.first, stored.conflict, stored.forced),
        (ScanResult::Admitted, &None, false, false)
    );
    assert_eq!((stored.scanned_at, stored.received_at), (first.scanned_at, first.received_at));
    assert_eq!(fixture.store().read_scan(fixture.organization, first.id).await.unwrap(), Some(stored));
    assert_eq!(fixture.take_events().await, [OutboxEvent::TicketAdmitted { event: fixture.event, ticket }]);
    let state = fixture.store().read_ticket(fixture.organization, ticket).await.unwrap().unwrap().state;
    assert_eq!(state, TicketState::Used);
    for days in [0, 400] {
        fixture.environment().advance(Duration::from_secs(86_400 * days));
        let again = record_scan(&fixture, &new_scan(&fixture, Some(ticket))).await.scan;
        assert_eq!(again.result, ScanResult::Refused(ScanReason::AlreadyUsed));
        assert_eq!(again.first, Some(FirstEntry { gate: first.gate.id, at: first.received_at }));
    }
    assert_eq!(fixture.take_events().await, []);
}

/// A ticket is never inside twice; a refusal names the current entry.
pub async fn reentry_event_admits_again_after_an_exit<S: SalesTier + CatalogStore>(sut: Sut<S>) {
    let mut fixture = SalesFixture::open(sut).await;
    let event = crate::catalog_fixtures::stored_event(&fixture.sut, fixture.organization).await;
    assert_eq!(event.entry_rule, EntryRule::Reentry);
    fixture.event = event.id;
    let ticket = paid_ticket(&fixture, 1).await;
    let mut last_entry = None;
    for round in 0..3 {
        fixture.environment().advance(Duration::from_secs(60));
        let entry = new_scan(&fixture, Some(ticket));
        assert_eq!(record_scan(&fixture, &entry).await.scan.result, ScanResult::Admitted, "round {round}");
        let inside = FirstEntry { gate: entry.gate.id, at: entry.received_at };
        let second = record_scan(&fixture, &new_scan(&fixture, Some(ticket))).await.scan;
        assert_eq!(second.result, ScanResult::Refused(ScanReason::AlreadyUsed));
        assert_eq!(second.first.as_ref(), Some(&inside));
        assert_ne!(last_entry.replace(inside.clone()), Some(inside), "of this round");
        let out = || NewScan { direction: Direction::Exit, ..new_scan(&fixture, Some(ticket)) };
        assert_eq!(record_scan(&fixture, &out()).await.scan.result, ScanResult::Admitted);
        assert_eq!(record_scan(&fixture, &out()).await.scan.result, ScanResult::Refused(ScanReason::NotInside));
    }
    // Two concurrent entries with one ticket: one is admitted.
    let scans = [new_scan(&fixture, Some(ticket)), new_scan(&fixture, Some(ticket))];
    let both = tokio::join!(record_scan(&fixture, &scans[0]), record_scan(&fixture, &scans[1]));
    let admitted = [both.0, both.1].iter().filter(|it| it.scan.result == ScanResult::Admitted).count();
    assert_eq!(admitted, 1);
}

/// The state of the ticket may have changed since the first scan.
pub async fn repeated_scan_gets_the_same_result<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let ticket = paid_ticket(&fixture, 1).await;
    let first = new_scan(&fixture, Some(ticket));
    let admitted = record_scan(&fixture, &first).await;
    let second = new_scan(&fixture, Some(ticket));
    let refused = record_scan(&fixture, &second).await;
    for (sent, answered) in [(first, admitted), (second, refused)] {
        let repeated = record_scan(
            &fixture,
            &NewScan { received_at: fixture.environment().advance(Duration::from_secs(9)), ..sent },
        )
        .await;
        assert_eq!(repeated, RecordedScan { repeated: true, ..answered });
    }
    let page = fixture.store().scans(fixture.organization, fixture.event, false, PageRequest::default()).await.unwrap();
    assert_eq!(page.items.len(), 2);
}

/// 32 gates scan copies of one ticket (P6).
pub async fn concurrent_gates_admit_a_ticket_once<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let ticket = paid_ticket(&fixture, 1).await;
    let mut gates = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let (store, organization, new) =
            (fixture.store().clone(), fixture.organization, new_scan(&fixture, Some(ticket)));
        gates.spawn(async move { store.record_scan(organization, new).await.unwrap().scan });
    }
    let scans = gates.join_all().await;
    let (admitted, refused): (Vec<_>, Vec<_>) = scans.into_iter().partition(|scan| scan.result == ScanResult::Admitted);
    let [admitted] = admitted.as_slice() else { panic!("{admitted:?}") };
    for scan in refused {
        assert_eq!(scan.result, ScanResult::Refused(ScanReason::AlreadyUsed));
        assert_eq!(scan.first, Some(FirstEntry { gate: admitted.gate, at: admitted.received_at }));
    }
}

/// A device sends one scan sixteen times (P3).
pub async fn concurrent_repeats_of_a_scan_are_stored_once<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let new = new_scan(&fixture, Some(paid_ticket(&fixture, 1).await));
    let mut sends = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (store, organization, new) = (fixture.store().clone(), fixture.organization, new.clone());
        sends.spawn(async move { store.record_scan(organization, new).await.unwrap() });
    }
    let answers = sends.join_all().await;
    assert_eq!(answers.iter().filter(|answer| !answer.repeated).count(), 1);
    assert!(answers.iter().all(|answer| answer.scan == answers[0].scan && answer.scan.result == ScanResult::Admitted));
}

/// 64 gates scan the tickets of one order at once.
pub async fn many_tickets_are_admitted_concurrently<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let places: Vec<u32> = (0..64).collect();
    let (order, _, tickets) = fixture.paid_order(&places).await;
    let mut gates = tokio::task::JoinSet::new();
    for ticket in &tickets {
        let (store, organization, new) =
            (fixture.store().clone(), fixture.organization, new_scan(&fixture, Some(ticket.id)));
        gates.spawn(async move { store.record_scan(organization, new).await.unwrap().scan.result });
    }
    assert!(gates.join_all().await.into_iter().all(|result| result == ScanResult::Admitted));
    assert!(fixture.read_order(order).await.tickets.iter().all(|ticket| ticket.state == TicketState::Used));
}
