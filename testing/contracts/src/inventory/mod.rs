//! Contract tests of `InventoryStore`: all or nothing, one holder per place, no claimed place freed, a log without gaps, separate tenants (P1, P4, P7, P8).
//!
//! Never: a store's keys or scripts. To add a case: a function in a submodule and its name in [`crate::inventory_store_suite`].

mod change_log;
mod cold_effects;
mod gate_filter;
mod holds;
mod installation;
mod pins;
mod random_commands;

use std::sync::Arc;
use std::time::Duration;

pub use change_log::*;
pub use cold_effects::*;
pub use gate_filter::*;
pub use holds::*;
pub use installation::*;
pub use pins::*;
pub use random_commands::*;
use voelgoed_app::environment::{Environment, new_id};
use voelgoed_app::ticketing::ports::{
    EventScope, InventoryError, InventoryResult, InventoryStore, NOTED_HOLDS_MAX, NOTED_HOLDS_TTL, RebuildLease,
};
use voelgoed_domain::ids::{AreaId, HoldId, SessionId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::hold::{HoldRecord, HoldRequest, Pick};
use voelgoed_domain::ticketing::inventory::{AreaCounts, AreaSpan, FREED_PER_STEP_MAX, Install};
use voelgoed_domain::ticketing::place::{DisplayState, Epoch, PlaceEffect, PlaceState, PlaceVersion, Position};
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use crate::sut::Sut;

/// Makes a test of each case; `$open` is an expression that opens a [`Sut`](crate::sut::Sut) when awaited.
#[macro_export]
macro_rules! inventory_store_suite {
    ($open:expr) => {
        $crate::cases! { inventory, $open;
            every_call_is_unloaded_until_the_installation
            installation_with_an_epoch_that_is_not_higher_is_refused
            installation_without_the_rebuild_lease_is_refused
            rebuild_keeps_holds_that_do_not_conflict
            holds_are_lost_after_the_store_was_emptied
            inventories_of_two_organizations_are_separate
            hold_with_a_taken_place_is_refused_whole
            repeated_hold_request_returns_the_first_hold
            session_limit_counts_all_its_holds
            address_limit_counts_the_holds_of_all_its_sessions
            changed_hold_keeps_its_common_places_and_its_end
            one_of_many_changes_of_a_version_succeeds
            repeated_release_changes_nothing
            session_lists_its_noted_holds
            hold_expires_exactly_at_its_end
            expired_hold_is_refused_before_it_is_freed
            expired_holds_of_every_event_are_freed
            one_round_frees_a_thousand_expired_holds
            one_of_many_concurrent_holds_gets_a_seat
            general_admission_area_sells_out_exactly
            pin_outlives_its_hold_and_expires_by_itself
            unpinned_hold_is_changeable_again
            ordered_hold_is_neither_changed_nor_freed
            pin_reports_places_that_cold_gave_to_another
            effect_of_an_old_version_is_ignored
            late_claim_leaves_nothing_held
            change_log_has_no_gaps_and_signals_each_step
            reader_far_behind_or_of_another_epoch_gets_a_snapshot
            gate_filter_survives_a_rebuild
            random_commands_match_the_model
        }
    };
}

const SEATS: u32 = 20;
const PLACES: u32 = 120;
const TEN_MINUTES: Duration = Duration::from_secs(600);

/// A new event of a new organization, not loaded.
fn new_scope<S>(sut: &Sut<S>) -> EventScope {
    let environment: &dyn Environment = &*sut.environment;
    EventScope { organization: new_id(environment), event: new_id(environment) }
}

/// Seats 0..20 and a general-admission area 20..120, nothing sold.
fn plan(epoch: u64) -> Install {
    // Two installations of one event have the same areas.
    let span = |id, places, seated| AreaSpan { area: AreaId::from_uuid(uuid::Uuid::from_u128(id)), places, seated };
    Install {
        epoch: Epoch(epoch),
        areas: vec![span(1, 0..SEATS, true), span(2, SEATS..PLACES, false)],
        places: vec![],
        revoked: vec![],
        admitted: vec![],
    }
}

/// Installs with a rebuild lease.
async fn install_event<S: InventoryStore>(
    store: &Arc<S>,
    scope: EventScope,
    install: Install,
) -> InventoryResult<Position> {
    let lease = uuid::Uuid::from_u128(7);
    assert_eq!(store.lease_rebuild(scope, lease, Duration::from_secs(5)).await.unwrap(), RebuildLease::Granted);
    store.install(scope, lease, install).await
}

/// A new event, loaded with epoch 1.
async fn loaded<S: InventoryStore>(sut: &Sut<S>) -> EventScope {
    let scope = new_scope(sut);
    let position = install_event(&sut.store, scope, plan(1)).await.unwrap();
    assert_eq!(position, Position { epoch: Epoch(1), seq: 0 });
    scope
}

/// A request of a new session, for ten minutes.
fn request<S>(sut: &Sut<S>, picks: Vec<Pick>) -> HoldRequest {
    let environment: &dyn Environment = &*sut.environment;
    HoldRequest {
        hold: new_id(environment),
        session: new_id(environment),
        picks,
        terms: r#"{"price":1}"#.into(),
        lasts_millis: 600_000,
        places_per_session: 10,
        expected_version: 1,
        address: None,
        places_per_address: u32::MAX,
    }
}

fn seats(places: &[u32]) -> Vec<Pick> {
    places.iter().map(|place| Pick::Place(PlaceNumber(*place))).collect()
}

fn any_of_area(quantity: u32) -> Pick {
    Pick::Any { range: SEATS..PLACES, quantity }
}

fn effect(place: u32, state: PlaceState, version: u32) -> PlaceEffect {
    PlaceEffect { place: PlaceNumber(place), state, owner: None, version: PlaceVersion(version) }
}

fn numbers(record: &HoldRecord) -> Vec<u32> {
    record.places.iter().flatten().map(|place| place.0).collect()
}

/// The refusal of an answer that must be one.
fn refusal<T: std::fmt::Debug>(answer: InventoryResult<T>) -> Refusal {
    match answer {
        Err(InventoryError::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

fn code<T: std::fmt::Debug>(answer: InventoryResult<T>) -> Code {
    refusal(answer).code
}

fn is_unloaded<T>(answer: &InventoryResult<T>) -> bool {
    matches!(answer, Err(InventoryError::Unloaded))
}

async fn display_state<S: InventoryStore>(sut: &Sut<S>, scope: EventScope, place: u32) -> DisplayState {
    sut.store.snapshot(scope).await.unwrap().places[place as usize]
}

/// The sum of the counts of both areas; asserts that it is the number of places.
async fn counts<S: InventoryStore>(sut: &Sut<S>, scope: EventScope) -> AreaCounts {
    let snapshot = sut.store.snapshot(scope).await.unwrap();
    let mut sum = AreaCounts::default();
    for (span, counts) in snapshot.areas.iter().zip(&snapshot.counts) {
        let area = &snapshot.places[span.places.start as usize..span.places.end as usize];
        let mut seen = AreaCounts::default();
        area.iter().for_each(|shown| *seen.of(*shown) += 1);
        assert_eq!(*counts, seen, "counts are those of the places");
        area.iter().for_each(|shown| *sum.of(*shown) += 1);
    }
    assert_eq!(sum.total(), PLACES);
    sum
}

/// Runs `count` calls at the same time, each in its own task.
async fn run_concurrently<S, T, F, Fut>(sut: &Sut<S>, count: u32, call: F) -> Vec<T>
where
    S: InventoryStore,
    T: Send + 'static,
    F: Fn(Arc<S>, u32) -> Fut,
    Fut: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = (0..count).map(|number| tokio::spawn(call(Arc::clone(&sut.store), number))).collect();
    let mut answers = vec![];
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

/// The ids of a new hold and a new session.
fn new_ids<S>(sut: &Sut<S>) -> (HoldId, SessionId) {
    let environment: &dyn Environment = &*sut.environment;
    (new_id(environment), new_id(environment))
}
