//! Contract tests of the scans of `ScanStore`: one admission per ticket, the same answer to the same scan, every conflict stored (P3, P6, P7).

mod admissions;
mod refusals;
mod scan_lists;

use std::time::Duration;

pub use admissions::*;
pub use refusals::*;
pub use scan_lists::*;
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::scanning::ports::{Gate, NewScan, RecordedScan};
use voelgoed_domain::ids::TicketId;
use voelgoed_domain::scanning::entry::Direction;

use crate::sales_fixture::{SalesFixture, SalesTier};

/// Makes a test of each case; `$open` is an expression that opens a [`Sut`](crate::sut::Sut) when awaited.
#[macro_export]
macro_rules! scan_store_suite {
    ($open:expr) => {
        $crate::cases! { scans, $open;
            second_scan_of_a_ticket_is_refused_with_the_first_entry
            repeated_scan_gets_the_same_result
            refused_scan_names_its_reason
            forced_entry_is_stored_with_its_conflict
            scan_outside_its_window_is_refused
            tickets_are_found_by_their_type
            exit_without_an_entry_is_refused
            reentry_event_admits_again_after_an_exit
            concurrent_gates_admit_a_ticket_once
            concurrent_repeats_of_a_scan_are_stored_once
            many_tickets_are_admitted_concurrently
            scans_are_listed_all_or_conflicts_only
            ticket_of_another_organization_is_invalid
        }
    };
}

/// An entry scan of a ticket, at a gate of all areas.
pub fn new_scan<S: SalesTier>(fixture: &SalesFixture<S>, ticket: Option<TicketId>) -> NewScan {
    let environment = fixture.environment();
    NewScan {
        id: new_id(environment),
        event: fixture.event,
        ticket,
        gate: Gate { id: new_id(environment), event: fixture.event, name: "North".into(), areas: vec![] },
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

async fn record_scan<S: SalesTier>(fixture: &SalesFixture<S>, scan: &NewScan) -> RecordedScan {
    fixture.store().record_scan(fixture.organization, scan.clone()).await.unwrap()
}

async fn paid_ticket<S: SalesTier>(fixture: &SalesFixture<S>, place: u32) -> TicketId {
    fixture.paid_order(&[place]).await.2[0].id
}
