//! Contract tests of `CatalogStore`: values are read back as written, versions are counted, nothing of another organization is used or seen (P7), and every
//! change of a listing writes an outbox event in the same commit (P8).

mod events;
mod layouts;
mod listings;
mod programme;

use std::time::Duration;

pub use events::*;
pub use layouts::*;
pub use listings::*;
pub use programme::*;
use voelgoed_app::accounts::ports::AccountStore;
use voelgoed_app::catalog::ports::CatalogStore;
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::outbox::ports::OutboxStore;
use voelgoed_app::page::PageRequest;
use voelgoed_domain::catalog::price_rule::{PriceEffect, PriceRule};
use voelgoed_domain::ids::EventId;

use crate::sut::{Sut, TestEnvironment};

/// Makes a test of each case; `$open` is an expression that opens a [`Sut`](crate::sut::Sut) when awaited.
#[macro_export]
macro_rules! catalog_store_suite {
    ($open:expr) => {
        $crate::cases! { catalog, $open;
            venues_are_listed_in_pages_to_their_own_organization
            layout_versions_count_up_within_their_venue
            concurrent_layouts_of_a_venue_get_consecutive_versions
            seat_flags_of_a_layout_change_once_per_version
            event_with_a_layout_of_another_organization_is_refused
            listing_is_read_back_as_written
            listing_is_not_found_for_another_organization
            retired_ticket_type_leaves_the_listing
            price_rule_code_is_unique_within_its_event
            event_transition_from_an_unexpected_state_is_refused
            moving_an_event_moves_its_admission_windows
            draft_event_is_deleted_with_its_ticket_types_and_rules
            drafts_are_listed_to_their_own_organization_only
            programme_lists_upcoming_and_past_events_separately
            every_listing_change_writes_an_outbox_event
            repeated_creation_changes_nothing
        }
    };
}

const SECOND: Duration = Duration::from_secs(1);

const ALL: PageRequest = PageRequest { after: None, limit: 200 };

/// The ports that the cases need.
pub trait CatalogTier: AccountStore + CatalogStore + OutboxStore {}

impl<S: AccountStore + CatalogStore + OutboxStore> CatalogTier for S {}

fn new_price_rule(environment: &TestEnvironment, event: EventId, code: Option<&str>, effect: PriceEffect) -> PriceRule {
    PriceRule {
        id: new_id(environment),
        event,
        code: code.map(str::to_owned),
        ticket_types: vec![new_id(environment)],
        effect,
        starts_at: Some(environment.now()),
        ends_at: None,
        uses_max: None,
        uses_per_buyer_max: None,
    }
}

/// Takes and acknowledges all outbox events; returns the events whose listing changed, with the version.
async fn take_listing_changes<S: CatalogTier>(sut: &Sut<S>) -> Vec<(EventId, u32)> {
    let rows = sut.store.take(500, sut.environment.now(), SECOND).await.unwrap().rows;
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    sut.store.delivered(&ids, sut.environment.now()).await.unwrap();
    let change = |row: voelgoed_app::outbox::event::OutboxRow| match row.outbox_event {
        OutboxEvent::ListingChanged { event } => (event, row.version),
        other => panic!("{other:?}"),
    };
    rows.into_iter().map(change).collect()
}
