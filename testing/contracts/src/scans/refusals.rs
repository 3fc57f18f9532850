//! Cases of refused and forced scans: each has its reason, and conflicts are stored.

use std::time::Duration;

use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::page::PageRequest;
use voelgoed_app::scanning::ports::{FirstEntry, Gate, NewScan, ScanResult};
use voelgoed_domain::catalog::admission_window::{AdmissionWindow, AdmissionWindows};
use voelgoed_domain::scanning::entry::{Direction, ScanReason};
use voelgoed_domain::scanning::scan_time::{DeviceClock, ScanReceipt, ScanTime};
use voelgoed_domain::time::Timestamp;

use super::{new_scan, paid_ticket, record_scan};
use crate::sales_fixture::{PAID_PER_PLACE, SalesFixture, SalesTier};
use crate::sut::Sut;

/// A refusal does not use the ticket.
pub async fn refused_scan_names_its_reason<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let ticket_here = paid_ticket(&fixture, 1).await;
    let (order, payment, returned) = fixture.paid_order(&[2]).await;
    let refund = fixture.new_refund(order, payment, PAID_PER_PLACE, &returned);
    fixture.store().open_refund(fixture.organization, refund, None).await.unwrap().unwrap();
    let free = fixture.new_free_order(&[3]);
    fixture.place_order(&free).await;
    let base = |ticket| new_scan(&fixture, ticket);
    let elsewhere = Gate { areas: vec![new_id(fixture.environment())], ..base(None).gate };
    let here = Gate { areas: vec![new_id(fixture.environment()), fixture.area], ..base(None).gate };
    for (scanned, reason) in [
        (base(None), ScanReason::Invalid),
        (NewScan { early: Some(ScanReason::UnknownKey), ..base(None) }, ScanReason::UnknownKey),
        (NewScan { forced: true, ..base(None) }, ScanReason::Invalid),
        (base(Some(new_id(fixture.environment()))), ScanReason::Invalid),
        (NewScan { event: new_id(fixture.environment()), ..base(Some(ticket_here)) }, ScanReason::Invalid),
        (NewScan { early: Some(ScanReason::NotYet), ..base(Some(ticket_here)) }, ScanReason::NotYet),
        (NewScan { gate: elsewhere, ..base(Some(ticket_here)) }, ScanReason::WrongGate),
        (base(Some(returned[0].id)), ScanReason::Refunded),
        (NewScan { direction: Direction::Exit, ..base(Some(ticket_here)) }, ScanReason::NotInside),
    ] {
        let refused = record_scan(&fixture, &scanned).await.scan;
        assert_eq!(
            (refused.result, refused.conflict, &refused.first),
            (ScanResult::Refused(reason), false, &None),
            "{scanned:?}"
        );
        assert_eq!(fixture.store().read_scan(fixture.organization, scanned.id).await.unwrap(), Some(refused));
    }
    assert_eq!(
        record_scan(&fixture, &NewScan { gate: here, ..base(Some(ticket_here)) }).await.scan.result,
        ScanResult::Admitted
    );
}

/// The person is inside already, so the entry is recorded and its conflict is listed.
pub async fn forced_entry_is_stored_with_its_conflict<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let ticket = paid_ticket(&fixture, 1).await;
    let offline = new_scan(&fixture, Some(ticket));
    let receipt = ScanReceipt { received_at: offline.received_at, paired_at: None, issued_at: None };
    let time = Some(ScanTime::of(true, offline.scanned_at, receipt));
    let offline = NewScan { forced: true, time, ..offline };
    let first = record_scan(&fixture, &offline).await.scan;
    assert_eq!((first.result, first.conflict), (ScanResult::Admitted, false));
    let other = NewScan { forced: true, ..new_scan(&fixture, Some(ticket)) };
    let second = record_scan(&fixture, &other).await.scan;
    assert_eq!((second.result, second.conflict), (ScanResult::Admitted, true));
    let at = Some(FirstEntry { gate: offline.gate.id, at: offline.scanned_at });
    assert_eq!(second.first, at, "by the clock of the device that was offline");
    assert_eq!(fixture.store().read_scan(fixture.organization, other.id).await.unwrap(), Some(second));
    // A third scan that is not forced is refused.
    assert_eq!(record_scan(&fixture, &new_scan(&fixture, Some(ticket))).await.scan.first, at);
}

/// The window is the ticket type's or the event's, and is stored with the refusal.
pub async fn scan_outside_its_window_is_refused<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let (order, _, tickets) = fixture.paid_order(&[1]).await;
    let (ticket, ticket_type) = (tickets[0].id, fixture.read_order(order).await.lines[0].ticket_type);
    let now = fixture.environment().now();
    let day = Duration::from_secs(86_400);
    let over = AdmissionWindow { from: now.minus(day), until: now };
    let upcoming = AdmissionWindow { from: now.plus(day), until: now.plus(day * 2) };
    let open = AdmissionWindow { from: now, until: now.plus(day) };
    let by = |event, own: Option<AdmissionWindow>| {
        let types = own.map(|window| (ticket_type, window)).into_iter().collect();
        NewScan { admissions: Some(AdmissionWindows { event, types }), ..new_scan(&fixture, Some(ticket)) }
    };
    for (new, reason, window) in [
        (by(over, None), ScanReason::Expired, over),
        (by(upcoming, None), ScanReason::NotYet, upcoming),
        (by(open, Some(upcoming)), ScanReason::NotYet, upcoming),
        (by(open, Some(over)), ScanReason::Expired, over),
    ] {
        let refused = record_scan(&fixture, &new).await.scan;
        assert_eq!((refused.result, refused.window), (ScanResult::Refused(reason), Some(window)), "{new:?}");
        assert_eq!(fixture.store().read_scan(fixture.organization, new.id).await.unwrap(), Some(refused));
    }
    // The device admitted the person; its clock is implausible.
    let receipt = ScanReceipt { received_at: now, paired_at: Some(now.minus(day)), issued_at: None };
    let time = Some(ScanTime::of(true, Timestamp::default(), receipt));
    let forced = NewScan { forced: true, time, ..by(over, Some(open)) };
    let admitted = record_scan(&fixture, &forced).await.scan;
    assert_eq!((admitted.result, admitted.conflict, admitted.window), (ScanResult::Admitted, false, None));
    assert_eq!(admitted.clock, DeviceClock::Implausible);
    let second = record_scan(&fixture, &by(open, None)).await.scan;
    assert_eq!(second.first, Some(FirstEntry { gate: forced.gate.id, at: now }), "by the server's receipt");
}

/// Without re-entry an exit does not make the ticket valid again.
pub async fn exit_without_an_entry_is_refused<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let ticket = paid_ticket(&fixture, 1).await;
    let exit = || NewScan { direction: Direction::Exit, ..new_scan(&fixture, Some(ticket)) };
    record_scan(&fixture, &new_scan(&fixture, Some(ticket))).await;
    assert_eq!(record_scan(&fixture, &exit()).await.scan.result, ScanResult::Admitted);
    assert_eq!(record_scan(&fixture, &exit()).await.scan.result, ScanResult::Refused(ScanReason::NotInside));
    assert_eq!(
        record_scan(&fixture, &new_scan(&fixture, Some(ticket))).await.scan.result,
        ScanResult::Refused(ScanReason::AlreadyUsed)
    );
}

/// Neither tickets nor scans of another organization are found (P7).
pub async fn ticket_of_another_organization_is_invalid<S: SalesTier>(sut: Sut<S>) {
    let fixture = SalesFixture::open(sut).await;
    let ticket = paid_ticket(&fixture, 1).await;
    let new = new_scan(&fixture, Some(ticket));
    let theirs = fixture.store().record_scan(fixture.other_organization, new.clone()).await.unwrap();
    assert_eq!(theirs.scan.result, ScanResult::Refused(ScanReason::Invalid));
    assert_eq!((theirs.scan.ticket, theirs.scan.label), (None, None), "nothing of the ticket is shown");
    let ours = record_scan(&fixture, &new).await;
    assert_eq!(
        (ours.repeated, ours.scan.result),
        (false, ScanResult::Admitted),
        "the same id in two organizations is two scans"
    );
    let seen = record_scan(&fixture, &new_scan(&fixture, Some(ticket))).await.scan;
    assert_eq!(fixture.store().read_scan(fixture.other_organization, seen.id).await.unwrap(), None);
    let list =
        fixture.store().scans(fixture.other_organization, fixture.event, false, PageRequest::default()).await.unwrap();
    assert_eq!(list.items.len(), 1);
}
