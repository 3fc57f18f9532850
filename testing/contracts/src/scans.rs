//! What `ScanStore` promises of scans: one ticket, one admission; the same scan, the same answer; every conflict kept (P3, P6, P7).

use std::time::Duration;

use voelgoed_app::catalog::ports::CatalogStore;
use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::page::PageRequest;
use voelgoed_app::scanning::ports::{FirstEntry, Gate, NewScan, Recorded, ScanResult};
use voelgoed_domain::catalog::admission::{AdmissionWindow, Admissions};
use voelgoed_domain::ids::{TicketId, TicketTypeId};
use voelgoed_domain::scanning::clock::{DeviceClock, Receipt, ScanTime};
use voelgoed_domain::scanning::entry::{Direction, EntryRule, ScanReason};
use voelgoed_domain::scanning::ticket::TicketState;
use voelgoed_domain::time::Timestamp;

use crate::selling::{PAID, Shop, Tier};
use crate::subject::Subject;

/// Every case, as a test; `$open` opens a subject.
#[macro_export]
macro_rules! scan_store_suite {
    ($open:expr) => {
        $crate::cases! { scans, $open;
            a_ticket_admits_once
            the_same_scan_is_answered_the_same
            each_refusal_has_its_reason
            a_forced_entry_is_kept_with_what_speaks_against_it
            a_scan_outside_of_its_window_is_refused_with_it
            tickets_are_found_by_their_type
            an_exit_needs_an_entry
            an_event_may_let_people_come_and_go
            many_gates_at_once_admit_once
            one_scan_sent_many_times_is_one
            many_tickets_are_admitted_together
            lists_show_all_or_the_conflicts
            strangers_admit_nobody
        }
    };
}

/// An ordinary entry scan of a ticket, at a gate that leads everywhere.
pub fn a_scan<S: Tier>(shop: &Shop<S>, ticket: Option<TicketId>) -> NewScan {
    let environment = shop.environment();
    NewScan {
        id: fresh(environment),
        event: shop.event,
        ticket,
        gate: Gate { id: fresh(environment), event: shop.event, name: "North".into(), areas: vec![] },
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

async fn scan<S: Tier>(shop: &Shop<S>, scan: &NewScan) -> Recorded {
    shop.store().record_scan(shop.organization, scan.clone()).await.unwrap()
}

async fn ticket<S: Tier>(shop: &Shop<S>, place: u32) -> TicketId {
    shop.paid(&[place]).await.2[0].id
}

/// Used is used, with the first entry's gate and time.
pub async fn a_ticket_admits_once<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let ticket = ticket(&shop, 1).await;
    shop.facts().await;
    let first = a_scan(&shop, Some(ticket));
    let admitted = scan(&shop, &first).await;
    assert!(!admitted.repeated);
    let stored = admitted.scan;
    assert_eq!((stored.id, stored.event, stored.ticket), (first.id, shop.event, Some(ticket)));
    assert_eq!((stored.label.as_deref(), stored.ticket_type_name.as_deref()), (Some("Seat 1"), Some("Adult")));
    assert_eq!((stored.gate, stored.device, stored.direction), (first.gate.id, first.device, Direction::Entry));
    assert_eq!(
        (stored.result, &stored.first, stored.conflict, stored.forced),
        (ScanResult::Admitted, &None, false, false)
    );
    assert_eq!((stored.scanned_at, stored.received_at), (first.scanned_at, first.received_at));
    assert_eq!(shop.store().read_scan(shop.organization, first.id).await.unwrap(), Some(stored));
    assert_eq!(shop.facts().await, [OutboxEvent::TicketAdmitted { event: shop.event, ticket }]);
    let state = shop.store().read_ticket(shop.organization, ticket).await.unwrap().unwrap().state;
    assert_eq!(state, TicketState::Used);
    for days in [0, 400] {
        shop.environment().advance(Duration::from_secs(86_400 * days));
        let again = scan(&shop, &a_scan(&shop, Some(ticket))).await.scan;
        assert_eq!(again.result, ScanResult::Refused(ScanReason::AlreadyUsed));
        assert_eq!(again.first, Some(FirstEntry { gate: first.gate.id, at: first.received_at }));
    }
    assert_eq!(shop.facts().await, []);
}

/// Where its rule says so: in again after each exit, never two at once, and a refusal shows the entry that stands.
pub async fn an_event_may_let_people_come_and_go<S: Tier + CatalogStore>(subject: Subject<S>) {
    let mut shop = Shop::open(subject).await;
    let event = crate::catalogue::event(&shop.subject, shop.organization).await;
    assert_eq!(event.entry_rule, EntryRule::Reentry);
    shop.event = event.id;
    let ticket = ticket(&shop, 1).await;
    let mut stands = None;
    for round in 0..3 {
        shop.environment().advance(Duration::from_secs(60));
        let entry = a_scan(&shop, Some(ticket));
        assert_eq!(scan(&shop, &entry).await.scan.result, ScanResult::Admitted, "round {round}");
        let inside = FirstEntry { gate: entry.gate.id, at: entry.received_at };
        let second = scan(&shop, &a_scan(&shop, Some(ticket))).await.scan;
        assert_eq!(second.result, ScanResult::Refused(ScanReason::AlreadyUsed));
        assert_eq!(second.first.as_ref(), Some(&inside));
        assert_ne!(stands.replace(inside.clone()), Some(inside), "of this round");
        let out = || NewScan { direction: Direction::Exit, ..a_scan(&shop, Some(ticket)) };
        assert_eq!(scan(&shop, &out()).await.scan.result, ScanResult::Admitted);
        assert_eq!(scan(&shop, &out()).await.scan.result, ScanResult::Refused(ScanReason::NotInside));
    }
    // Two who come back at once on one ticket: one of them.
    let scans = [a_scan(&shop, Some(ticket)), a_scan(&shop, Some(ticket))];
    let both = tokio::join!(scan(&shop, &scans[0]), scan(&shop, &scans[1]));
    let admitted = [both.0, both.1].iter().filter(|it| it.scan.result == ScanResult::Admitted).count();
    assert_eq!(admitted, 1);
}

/// Whatever became of the ticket meanwhile.
pub async fn the_same_scan_is_answered_the_same<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let ticket = ticket(&shop, 1).await;
    let first = a_scan(&shop, Some(ticket));
    let admitted = scan(&shop, &first).await;
    let second = a_scan(&shop, Some(ticket));
    let refused = scan(&shop, &second).await;
    for (sent, answered) in [(first, admitted), (second, refused)] {
        let repeated =
            scan(&shop, &NewScan { received_at: shop.environment().advance(Duration::from_secs(9)), ..sent }).await;
        assert_eq!(repeated, Recorded { repeated: true, ..answered });
    }
    let page = shop.store().scans(shop.organization, shop.event, false, PageRequest::default()).await.unwrap();
    assert_eq!(page.items.len(), 2);
}

/// And none of them uses the ticket up.
pub async fn each_refusal_has_its_reason<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let ticket_here = ticket(&shop, 1).await;
    let (order, payment, returned) = shop.paid(&[2]).await;
    let refund = shop.a_refund(order, payment, PAID, &returned);
    shop.store().open_refund(shop.organization, refund, None).await.unwrap().unwrap();
    let free = shop.a_free_order(&[3]);
    shop.place(&free).await;
    let base = |ticket| a_scan(&shop, ticket);
    let elsewhere = Gate { areas: vec![fresh(shop.environment())], ..base(None).gate };
    let here = Gate { areas: vec![fresh(shop.environment()), shop.area], ..base(None).gate };
    for (scanned, reason) in [
        (base(None), ScanReason::Invalid),
        (NewScan { early: Some(ScanReason::UnknownKey), ..base(None) }, ScanReason::UnknownKey),
        (NewScan { forced: true, ..base(None) }, ScanReason::Invalid),
        (base(Some(fresh(shop.environment()))), ScanReason::Invalid),
        (NewScan { event: fresh(shop.environment()), ..base(Some(ticket_here)) }, ScanReason::Invalid),
        (NewScan { early: Some(ScanReason::NotYet), ..base(Some(ticket_here)) }, ScanReason::NotYet),
        (NewScan { gate: elsewhere, ..base(Some(ticket_here)) }, ScanReason::WrongGate),
        (base(Some(returned[0].id)), ScanReason::Refunded),
        (NewScan { direction: Direction::Exit, ..base(Some(ticket_here)) }, ScanReason::NotInside),
    ] {
        let refused = scan(&shop, &scanned).await.scan;
        assert_eq!(
            (refused.result, refused.conflict, &refused.first),
            (ScanResult::Refused(reason), false, &None),
            "{scanned:?}"
        );
        assert_eq!(shop.store().read_scan(shop.organization, scanned.id).await.unwrap(), Some(refused));
    }
    assert_eq!(scan(&shop, &NewScan { gate: here, ..base(Some(ticket_here)) }).await.scan.result, ScanResult::Admitted);
}

/// The person is inside already: nothing is refused, nothing is hidden.
pub async fn a_forced_entry_is_kept_with_what_speaks_against_it<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let ticket = ticket(&shop, 1).await;
    let offline = a_scan(&shop, Some(ticket));
    let receipt = Receipt { received_at: offline.received_at, paired_at: None, issued_at: None };
    let time = Some(ScanTime::of(true, offline.scanned_at, receipt));
    let offline = NewScan { forced: true, time, ..offline };
    let first = scan(&shop, &offline).await.scan;
    assert_eq!((first.result, first.conflict), (ScanResult::Admitted, false));
    let other = NewScan { forced: true, ..a_scan(&shop, Some(ticket)) };
    let second = scan(&shop, &other).await.scan;
    assert_eq!((second.result, second.conflict), (ScanResult::Admitted, true));
    let at = Some(FirstEntry { gate: offline.gate.id, at: offline.scanned_at });
    assert_eq!(second.first, at, "by the clock of the device that was offline");
    assert_eq!(shop.store().read_scan(shop.organization, other.id).await.unwrap(), Some(second));
    // A third, not forced, is refused as ever.
    assert_eq!(scan(&shop, &a_scan(&shop, Some(ticket))).await.scan.first, at);
}

/// By ticket type, on what is true for its moment; the window is stored with the refusal.
pub async fn a_scan_outside_of_its_window_is_refused_with_it<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, _, tickets) = shop.paid(&[1]).await;
    let (ticket, ticket_type) = (tickets[0].id, shop.detail(order).await.lines[0].ticket_type);
    let now = shop.environment().now();
    let day = Duration::from_secs(86_400);
    let over = AdmissionWindow { from: now.minus(day), until: now };
    let soon = AdmissionWindow { from: now.plus(day), until: now.plus(day * 2) };
    let open = AdmissionWindow { from: now, until: now.plus(day) };
    let by = |event, own: Option<AdmissionWindow>| {
        let types = own.map(|window| (ticket_type, window)).into_iter().collect();
        NewScan { admissions: Some(Admissions { event, types }), ..a_scan(&shop, Some(ticket)) }
    };
    for (new, reason, window) in [
        (by(over, None), ScanReason::Expired, over),
        (by(soon, None), ScanReason::NotYet, soon),
        (by(open, Some(soon)), ScanReason::NotYet, soon),
        (by(open, Some(over)), ScanReason::Expired, over),
    ] {
        let refused = scan(&shop, &new).await.scan;
        assert_eq!((refused.result, refused.window), (ScanResult::Refused(reason), Some(window)), "{new:?}");
        assert_eq!(shop.store().read_scan(shop.organization, new.id).await.unwrap(), Some(refused));
    }
    // The device let the person in; its clock says a time that cannot be.
    let receipt = Receipt { received_at: now, paired_at: Some(now.minus(day)), issued_at: None };
    let time = Some(ScanTime::of(true, Timestamp::default(), receipt));
    let forced = NewScan { forced: true, time, ..by(over, Some(open)) };
    let let_in = scan(&shop, &forced).await.scan;
    assert_eq!((let_in.result, let_in.conflict, let_in.window), (ScanResult::Admitted, false, None));
    assert_eq!(let_in.clock, DeviceClock::Implausible);
    let second = scan(&shop, &by(open, None)).await.scan;
    assert_eq!(second.first, Some(FirstEntry { gate: forced.gate.id, at: now }), "by the server's receipt");
}

/// Those of other types, and those that were taken back, are left out.
pub async fn tickets_are_found_by_their_type<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let (order, payment, tickets) = shop.paid(&[1, 2, 3]).await;
    shop.store()
        .open_refund(shop.organization, shop.a_refund(order, payment, PAID, &tickets[..1]), None)
        .await
        .unwrap()
        .unwrap();
    let ticket_type = shop.detail(order).await.lines[0].ticket_type;
    let of = async |types: &[TicketTypeId], most| {
        shop.store().tickets_of_types(shop.organization, shop.event, types, most).await.unwrap()
    };
    let expected: Vec<_> = tickets[1..].iter().map(|ticket| (ticket_type, ticket.id)).collect();
    assert_eq!(of(&[ticket_type, fresh(shop.environment())], 9).await, expected);
    assert_eq!(of(&[ticket_type], 1).await, expected[..1]);
    assert_eq!(of(&[fresh(shop.environment())], 9).await, []);
    let stranger = fresh(shop.environment());
    assert_eq!(shop.store().tickets_of_types(stranger, shop.event, &[ticket_type], 9).await.unwrap(), []);
}

/// Out is out, and single admission does not let in again.
pub async fn an_exit_needs_an_entry<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let ticket = ticket(&shop, 1).await;
    let exit = || NewScan { direction: Direction::Exit, ..a_scan(&shop, Some(ticket)) };
    scan(&shop, &a_scan(&shop, Some(ticket))).await;
    assert_eq!(scan(&shop, &exit()).await.scan.result, ScanResult::Admitted);
    assert_eq!(scan(&shop, &exit()).await.scan.result, ScanResult::Refused(ScanReason::NotInside));
    assert_eq!(
        scan(&shop, &a_scan(&shop, Some(ticket))).await.scan.result,
        ScanResult::Refused(ScanReason::AlreadyUsed)
    );
}

/// A ticket that was copied 32 times.
pub async fn many_gates_at_once_admit_once<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let ticket = ticket(&shop, 1).await;
    let mut gates = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let (store, organization, new) = (shop.store().clone(), shop.organization, a_scan(&shop, Some(ticket)));
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

/// A device that repeats itself.
pub async fn one_scan_sent_many_times_is_one<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let new = a_scan(&shop, Some(ticket(&shop, 1).await));
    let mut sends = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (store, organization, new) = (shop.store().clone(), shop.organization, new.clone());
        sends.spawn(async move { store.record_scan(organization, new).await.unwrap() });
    }
    let answers = sends.join_all().await;
    assert_eq!(answers.iter().filter(|answer| !answer.repeated).count(), 1);
    assert!(answers.iter().all(|answer| answer.scan == answers[0].scan && answer.scan.result == ScanResult::Admitted));
}

/// A crowd.
pub async fn many_tickets_are_admitted_together<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let places: Vec<u32> = (0..64).collect();
    let (order, _, tickets) = shop.paid(&places).await;
    let mut gates = tokio::task::JoinSet::new();
    for ticket in &tickets {
        let (store, organization, new) = (shop.store().clone(), shop.organization, a_scan(&shop, Some(ticket.id)));
        gates.spawn(async move { store.record_scan(organization, new).await.unwrap().scan.result });
    }
    assert!(gates.join_all().await.into_iter().all(|result| result == ScanResult::Admitted));
    assert!(shop.detail(order).await.tickets.iter().all(|ticket| ticket.state == TicketState::Used));
}

/// Page by page, of one event.
pub async fn lists_show_all_or_the_conflicts<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let ticket = ticket(&shop, 1).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        let new = NewScan { forced: true, ..a_scan(&shop, Some(ticket)) };
        scan(&shop, &new).await;
        ids.push(new.id);
    }
    let page = async |conflicts_only, after, most| {
        let page = shop
            .store()
            .scans(shop.organization, shop.event, conflicts_only, PageRequest { after, most })
            .await
            .unwrap();
        (page.items.into_iter().map(|scan| scan.id).collect::<Vec<_>>(), page.next)
    };
    assert_eq!(page(false, None, 3).await, (ids[..3].to_vec(), Some(ids[2].uuid())));
    assert_eq!(page(false, Some(ids[2].uuid()), 3).await, (ids[3..].to_vec(), None));
    assert_eq!(page(true, None, 9).await, (ids[1..].to_vec(), None));
    let other =
        shop.store().scans(shop.organization, fresh(shop.environment()), false, PageRequest::default()).await.unwrap();
    assert_eq!(other.items, []);
}

/// P7: neither with their tickets nor with their scans.
pub async fn strangers_admit_nobody<S: Tier>(subject: Subject<S>) {
    let shop = Shop::open(subject).await;
    let ticket = ticket(&shop, 1).await;
    let new = a_scan(&shop, Some(ticket));
    let theirs = shop.store().record_scan(shop.stranger, new.clone()).await.unwrap();
    assert_eq!(theirs.scan.result, ScanResult::Refused(ScanReason::Invalid));
    assert_eq!((theirs.scan.ticket, theirs.scan.label), (None, None), "nothing of it is told");
    let ours = scan(&shop, &new).await;
    assert_eq!((ours.repeated, ours.scan.result), (false, ScanResult::Admitted), "the same id is theirs and ours");
    let seen = scan(&shop, &a_scan(&shop, Some(ticket))).await.scan;
    assert_eq!(shop.store().read_scan(shop.stranger, seen.id).await.unwrap(), None);
    let list = shop.store().scans(shop.stranger, shop.event, false, PageRequest::default()).await.unwrap();
    assert_eq!(list.items.len(), 1);
}
