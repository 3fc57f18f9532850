//! Scans tickets: codes are checked before any store, gates and directions count, and a scan identifier is answered once.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use voelgoed_app::catalog::listings::Listings;
use voelgoed_app::catalog::ports::Venue;
use voelgoed_app::environment::{Environment as _, new_id};
use voelgoed_app::error::{CommandResult, Dependency, Fault};
use voelgoed_app::scanning::ports::{Gate, ScanResult};
use voelgoed_app::scanning::scan::{SCANNED_CODE_BYTES_MAX, ScanCommand};
use voelgoed_app::scanning::ticket_codes::{code as ticket_code, signer};
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::token::MasterKey;
use voelgoed_domain::catalog::event::EventChange;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::refusal::Code;
use voelgoed_domain::scanning::code::TicketClaims;
use voelgoed_domain::scanning::entry::{Direction, ScanReason};
use voelgoed_domain::scanning::scan_time::DeviceClock;
use voelgoed_domain::ticketing::best_available::SeatingPlans;
use voelgoed_domain::time::Timestamp;
use voelgoed_resilience::DependencyHealth;
use voelgoed_testkit::platform::TestPlatform;

use super::scanner::{ScannerFixture, USED};
use crate::support::{code, refusal};

const DAY: Duration = Duration::from_secs(86_400);

async fn result(gate: &ScannerFixture, command: ScanCommand) -> ScanResult {
    gate.scan(command).await.unwrap().scan.result
}

fn refused(reason: ScanReason) -> ScanResult {
    ScanResult::Refused(reason)
}

#[tokio::test]
async fn second_scan_of_a_ticket_is_refused_with_the_first_entry() {
    let gate = ScannerFixture::with_tickets(1).await;
    let first = gate.scan(gate.command(0)).await.unwrap();
    assert_eq!((first.scan.result, first.durable, first.degraded), (ScanResult::Admitted, true, false));
    gate.shop.environment.advance(Duration::from_secs(60));
    let second = gate.scan(gate.command(0)).await.unwrap();
    let entry = second.scan.first.unwrap();
    assert_eq!((second.scan.result, entry.gate, entry.at), (USED, gate.gate.id, first.scan.received_at));
    assert!(!first.repeated && !second.repeated);
}

#[tokio::test]
async fn repeated_scan_has_its_first_answer_and_its_identifier_serves_no_other_scan() {
    let gate = ScannerFixture::with_tickets(2).await;
    let command = gate.command(0);
    let first = gate.scan(command.clone()).await.unwrap();
    gate.shop.environment.advance(Duration::from_secs(60));
    let again = gate.scan(command.clone()).await.unwrap();
    assert!(again.repeated);
    assert_eq!(again.scan, first.scan);
    for other in [
        ScanCommand { code: gate.codes[1].clone(), ..command.clone() },
        ScanCommand { direction: Direction::Exit, ..command.clone() },
        ScanCommand { code: "nonsense".into(), ..command.clone() },
    ] {
        assert_eq!(code(gate.scan(other).await), Code::IdempotencyMismatch);
    }
    let mut elsewhere = gate.device.clone();
    elsewhere.id = new_id(&*gate.shop.environment);
    let by_another_device = gate.shop.slices.scanning.scan(&elsewhere, command).await;
    assert_eq!(code(by_another_device), Code::IdempotencyMismatch);
}

#[tokio::test]
async fn code_has_up_to_1024_bytes() {
    let gate = ScannerFixture::with_tickets(1).await;
    let of_length = |length| ScanCommand { code: "A".repeat(length), ..gate.command(0) };
    assert_eq!(result(&gate, of_length(SCANNED_CODE_BYTES_MAX)).await, refused(ScanReason::Invalid));
    let too_long = refusal(gate.scan(of_length(SCANNED_CODE_BYTES_MAX + 1)).await);
    assert_eq!((too_long.code, too_long.evidence.field.as_deref()), (Code::InvalidRequest, Some("code")));
    let padded = format!("{}{}", " ".repeat(SCANNED_CODE_BYTES_MAX), gate.codes[0]);
    assert_eq!(result(&gate, ScanCommand { code: padded, ..gate.command(0) }).await, ScanResult::Admitted);
}

#[tokio::test]
async fn scan_at_a_gate_of_another_device_is_refused_before_anything_is_written() {
    let gate = ScannerFixture::with_tickets(1).await;
    let south = Gate { id: new_id(&*gate.shop.environment), name: "South".into(), ..gate.gate.clone() };
    let (organization, store) = (gate.shop.scope.organization, &gate.shop.slices.scanning.store);
    store.create_gate(organization, south.clone(), None).await.unwrap().unwrap();
    let wrong = refusal(gate.scan(ScanCommand { gate: south.id, ..gate.command(0) }).await);
    assert_eq!((wrong.code, wrong.evidence.field.as_deref()), (Code::InvalidRequest, Some("gate")));
    assert_eq!(gate.enter(0).await, (ScanResult::Admitted, true));
}

#[tokio::test]
async fn gate_admits_tickets_of_its_areas_only() {
    let shop = TestPlatform::open().await;
    let mut gate = ScannerFixture::on(shop, 1).await;
    let field = gate.shop.slices.catalog.listings.listing(gate.shop.scope).await.unwrap().layout.areas[1].id;
    let to_the_field = Gate { id: new_id(&*gate.shop.environment), areas: vec![field], ..gate.gate.clone() };
    let store = &gate.shop.slices.scanning.store;
    store.create_gate(gate.shop.scope.organization, to_the_field.clone(), None).await.unwrap().unwrap();
    gate.device.gates.push(to_the_field.id);
    let wrong = ScanCommand { gate: to_the_field.id, ..gate.command(0) };
    assert_eq!(result(&gate, wrong).await, refused(ScanReason::WrongGate));
    assert_eq!(gate.enter(0).await.0, ScanResult::Admitted);
}

#[tokio::test]
async fn code_of_another_event_or_another_key_is_refused() {
    let gate = ScannerFixture::with_tickets(1).await;
    let (organization, event) = (gate.shop.scope.organization, gate.shop.scope.event);
    let ours = signer(&gate.shop.slices.context.master, organization);
    let elsewhere = ticket_code(&ours, new_id(&*gate.shop.environment), gate.tickets[0]);
    let forged = ticket_code(&signer(&MasterKey::new([9; 32]), organization), event, gate.tickets[0]);
    let unsold = ticket_code(&ours, event, new_id(&*gate.shop.environment));
    for (name, code, reason) in [
        ("another event", elsewhere, ScanReason::WrongEvent),
        ("another platform", forged, ScanReason::UnknownKey),
        ("no such ticket", unsold, ScanReason::Invalid),
        ("no code", "hello".into(), ScanReason::Invalid),
    ] {
        assert_eq!(result(&gate, ScanCommand { code, ..gate.command(0) }).await, refused(reason), "{name}");
    }
}

#[tokio::test]
async fn holder_who_left_may_enter_again_and_exit_needs_an_entry() {
    let gate = ScannerFixture::with_tickets(1).await;
    let exit = || ScanCommand { direction: Direction::Exit, ..gate.command(0) };
    assert_eq!(result(&gate, exit()).await, refused(ScanReason::NotInside));
    assert_eq!(gate.enter(0).await.0, ScanResult::Admitted);
    assert_eq!(gate.enter(0).await.0, USED);
    assert_eq!(result(&gate, exit()).await, ScanResult::Admitted);
    assert_eq!(gate.enter(0).await.0, ScanResult::Admitted, "the event allows it");
}

#[tokio::test]
async fn forced_scan_of_a_used_ticket_is_recorded_as_a_conflict() {
    let gate = ScannerFixture::with_tickets(1).await;
    assert_eq!(gate.enter(0).await.0, ScanResult::Admitted);
    let forced = gate.scan(ScanCommand { forced: true, ..gate.command(0) }).await.unwrap().scan;
    assert_eq!((forced.result, forced.conflict, forced.forced), (ScanResult::Admitted, true, true));
}

#[tokio::test]
async fn clock_of_a_device_is_stored_as_evidence_only() {
    let gate = ScannerFixture::with_tickets(3).await;
    let now = gate.shop.environment.now();
    for (ticket, scanned_at, stored, clock) in [
        (0, Some(now), now, DeviceClock::Plausible),
        (1, Some(now.plus(DAY)), now.plus(DAY), DeviceClock::Implausible),
        (2, None, now, DeviceClock::Implausible),
    ] {
        let scan = gate.scan(ScanCommand { scanned_at, ..gate.command(ticket) }).await.unwrap().scan;
        assert_eq!((scan.result, scan.scanned_at, scan.clock), (ScanResult::Admitted, stored, clock), "{ticket}");
        assert_eq!(scan.received_at, now);
    }
}

#[tokio::test]
async fn ticket_of_an_event_that_was_moved_admits_in_the_new_window() {
    let gate = ScannerFixture::with_tickets(1).await;
    let starts_at = gate.shop.environment.now().plus(DAY * 400);
    let change = EventChange { starts_at: Some(starts_at), ..EventChange::default() };
    gate.shop.slices.catalog.change_event(gate.shop.scope, change).await.unwrap();
    assert_eq!(gate.enter(0).await.0, refused(ScanReason::NotYet));
    gate.shop.environment.advance(DAY * 399);
    assert_eq!(gate.enter(0).await.0, ScanResult::Admitted);
}

/// A node that cannot read listings.
struct NoListings;

fn unreadable<T>() -> CommandResult<T> {
    Err(Fault::unavailable(Dependency::Cold, "no connection").into())
}

#[async_trait]
impl Listings for NoListings {
    async fn locate(&self, _event: EventId) -> CommandResult<EventScope> {
        unreadable()
    }
    async fn listing(&self, _scope: EventScope) -> CommandResult<Arc<Listing>> {
        unreadable()
    }
    async fn seating(&self, _scope: EventScope) -> CommandResult<Arc<SeatingPlans>> {
        unreadable()
    }
    async fn venue(&self, _scope: EventScope) -> CommandResult<Arc<Venue>> {
        unreadable()
    }
    fn read_at(&self, _scope: EventScope) -> Option<Timestamp> {
        None
    }
    fn revalidate(&self, _organization: OrganizationId, _event: EventId) {}
    fn revalidate_all(&self) {}
}

#[tokio::test]
async fn signed_window_decides_where_the_listing_cannot_be_read() {
    let mut gate = ScannerFixture::with_tickets(3).await;
    Arc::make_mut(&mut gate.shop.slices.scanning).listings = Arc::new(NoListings);
    let (scope, now) = (gate.shop.scope, gate.shop.environment.now());
    let ours = signer(&gate.shop.slices.context.master, scope.organization);
    let signed = |ticket: usize, from, until| {
        let code = ours.sign(&TicketClaims::new(scope.event, gate.tickets[ticket], from, until));
        ScanCommand { code, ..gate.command(ticket) }
    };
    assert_eq!(result(&gate, signed(0, now.plus(DAY), now.plus(DAY * 2))).await, refused(ScanReason::NotYet));
    let late = gate.scan(signed(1, now.minus(DAY * 2), now.minus(DAY))).await.unwrap().scan;
    assert_eq!(late.result, refused(ScanReason::Expired));
    assert_eq!(late.window.map(|window| window.until), Some(now.minus(DAY)), "the window by which it was refused");
    assert_eq!(result(&gate, signed(0, now.minus(DAY), now.plus(DAY))).await, ScanResult::Admitted);
    assert_eq!(gate.enter(2).await.0, ScanResult::Admitted, "a code without a window");
}

#[tokio::test]
async fn ticket_outside_of_its_window_is_refused_by_warm_too() {
    let gate = ScannerFixture::with_tickets(1).await;
    let starts_at = gate.shop.environment.now().plus(DAY * 400);
    let change = EventChange { starts_at: Some(starts_at), ..EventChange::default() };
    gate.shop.slices.catalog.change_event(gate.shop.scope, change).await.unwrap();
    gate.cold_is(DependencyHealth::Down);
    let early = gate.scan(gate.command(0)).await.unwrap();
    assert_eq!((early.scan.result, early.durable, early.degraded), (refused(ScanReason::NotYet), false, true));
    assert!(early.scan.window.is_some());
    let nonsense = gate.scan(ScanCommand { code: "hello".into(), ..gate.command(0) }).await.unwrap();
    assert_eq!((nonsense.scan.result, nonsense.durable), (refused(ScanReason::Invalid), false));
}

#[tokio::test]
async fn scans_of_an_organization_wait_for_its_bulkhead_and_are_refused_beyond_it() {
    let shop = TestPlatform::builder().bulkheads(1, 0).open().await;
    let gate = ScannerFixture::on(shop, 1).await;
    let mut running = Box::pin(gate.shop.slices.context.bulkheads.run(
        voelgoed_app::tenant_bulkheads::WorkClass::Scans,
        gate.shop.scope.organization,
        std::future::pending::<CommandResult<()>>(),
    ));
    assert!(futures::FutureExt::now_or_never(&mut running).is_none());
    let refused = refusal(gate.scan(gate.command(0)).await);
    assert_eq!((refused.code, refused.evidence.retry_after), (Code::Overloaded, Some(1)));
    drop(running);
    assert_eq!(gate.enter(0).await, (ScanResult::Admitted, true));
}
