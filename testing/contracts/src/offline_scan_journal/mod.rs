//! Contract tests of `OfflineScanJournal` for the time in which cold is unavailable: one admission per ticket, the same answer to the same scan, no scan removed
//! before cold has it (P3, P6).

mod decisions;
mod intents;
mod pending_scans;

use std::time::Duration;

pub use decisions::*;
pub use intents::*;
pub use pending_scans::*;
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::scanning::ports::{Gate, NewScan, OfflineScanJournal};
use voelgoed_app::ticketing::ports::{AreaSpan, EventScope, Install, InventoryStore};
use voelgoed_domain::ids::{AreaId, ScanId, TicketId};
use voelgoed_domain::scanning::entry::Direction;
use voelgoed_domain::ticketing::place::Epoch;

use crate::sut::Sut;

/// Makes a test of each case; `$open` is an expression that opens a [`Sut`](crate::sut::Sut) when awaited.
#[macro_export]
macro_rules! offline_scan_journal_suite {
    ($open:expr) => {
        $crate::cases! { offline_scan_journal, $open;
            second_scan_of_a_ticket_is_refused_without_cold
            repeated_scan_is_stored_once
            events_with_pending_scans_are_listed
            acknowledged_scans_are_marked
            used_and_revoked_tickets_are_refused_offline
            admitted_ticket_may_exit_offline
            forced_scan_is_stored_as_admitted
            only_recorded_scans_are_removed
            rebuild_keeps_offline_admissions
            unloaded_event_stores_no_scan
            scans_of_other_events_are_separate
            concurrent_gates_admit_a_ticket_once_offline
            open_intent_blocks_other_admissions
            resolved_intent_sets_the_gate_filter
            each_intent_is_resolved_separately
            begin_intent_returns_pending_scans
            mark_or_removed_scan_ends_its_intent
            intent_survives_a_rebuild_and_belongs_to_one_event
        }
    };
}

async fn loaded<S: InventoryStore>(sut: &Sut<S>) -> EventScope {
    let scope = new_scope(sut);
    install(sut, scope, 1).await;
    scope
}

async fn install<S: InventoryStore>(sut: &Sut<S>, scope: EventScope, epoch: u64) {
    let lease = sut.environment.uuid();
    sut.store.lease_rebuild(scope, lease, Duration::from_secs(60)).await.unwrap();
    sut.store.install(scope, lease, plan(epoch)).await.unwrap();
}

fn new_scope<S>(sut: &Sut<S>) -> EventScope {
    let environment: &dyn Environment = &*sut.environment;
    EventScope { organization: new_id(environment), event: new_id(environment) }
}

/// A general-admission area of ten places.
fn plan(epoch: u64) -> Install {
    let area = AreaSpan { area: AreaId::from_uuid(uuid::Uuid::from_u128(1)), places: 0..10, seated: false };
    Install { epoch: Epoch(epoch), areas: vec![area], places: vec![], revoked: vec![], admitted: vec![] }
}

fn new_scan<S>(sut: &Sut<S>, scope: EventScope, ticket: TicketId) -> NewScan {
    let environment: &dyn Environment = &*sut.environment;
    NewScan {
        id: new_id(environment),
        event: scope.event,
        ticket: Some(ticket),
        gate: Gate { id: new_id(environment), event: scope.event, name: "North".into(), areas: vec![] },
        device: new_id(environment),
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

fn new_ticket<S>(sut: &Sut<S>) -> TicketId {
    new_id(&*sut.environment)
}

async fn pending_ids<S: OfflineScanJournal>(sut: &Sut<S>, scope: EventScope, ticket: Option<TicketId>) -> Vec<ScanId> {
    sut.store.pending(scope, ticket, None, 100).await.unwrap().iter().map(|stored| stored.scan.id).collect()
}
