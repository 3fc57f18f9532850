//! What `InventoryStore` promises: all or nothing, one holder per place, no sweep of what cold decided, a log without holes, tenants apart (P1, P4, P7, P8).
//!
//! Never: a store's keys or scripts. To add a case: a function here below and its name in [`crate::inventory_store_suite`].

mod effects;
mod gate;
mod holds;
mod loading;
mod log;
mod orders;
mod random;

use std::sync::Arc;
use std::time::Duration;

pub use effects::*;
pub use gate::*;
pub use holds::*;
pub use loading::*;
pub use log::*;
pub use orders::*;
pub use random::*;
use voelgoed_app::environment::{Environment, fresh};
use voelgoed_app::ticketing::ports::{
    Answer, EventScope, InventoryError, InventoryStore, Lease, NOTED_HOLDS_KEPT, NOTED_HOLDS_MAX,
};
use voelgoed_domain::ids::{AreaId, HoldId, SessionId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::hold::{HoldRecord, HoldRequest, Pick};
use voelgoed_domain::ticketing::inventory::{AreaSpan, Counts, Install, SWEPT_PER_STEP};
use voelgoed_domain::ticketing::place::{Epoch, PlaceEffect, PlaceNumber, PlaceState, PlaceVersion, Position, Shown};

use crate::subject::Subject;

/// Every case, as a test; `$open` opens a subject.
#[macro_export]
macro_rules! inventory_store_suite {
    ($open:expr) => {
        $crate::cases! { inventory, $open;
            everything_is_unloaded_until_installed
            an_epoch_that_is_not_higher_is_refused
            one_rebuild_at_a_time_under_a_lease_that_ends
            a_rebuild_keeps_the_holds_that_conflict_with_nothing
            an_emptied_store_lost_its_holds
            tenants_never_mix
            a_hold_is_all_or_nothing
            the_same_hold_again_answers_the_same
            a_session_is_limited_over_all_its_holds
            an_address_is_limited_over_all_its_sessions
            a_change_keeps_what_both_have
            changes_of_one_version_exclude_each_other
            a_release_frees_once
            a_session_finds_the_holds_that_were_noted
            holds_lapse_by_the_stores_clock
            lapsed_holds_serve_nobody_before_they_are_swept
            a_sweep_frees_lapsed_holds_of_every_event
            a_thousand_lapsed_holds_go_in_one_round
            a_seat_has_one_winner
            a_floor_sells_out_exactly
            a_pin_keeps_a_hold_and_lapses_by_itself
            an_unpinned_hold_may_be_changed_again
            what_became_an_order_is_out_of_reach
            what_cold_gave_to_another_is_missed_at_the_pin
            only_news_are_applied
            late_claims_leave_nothing_held
            the_log_has_no_holes_and_signals_each_step
            who_is_far_behind_or_of_another_epoch_starts_anew
            the_gate_remembers_over_a_rebuild
            random_commands_are_answered_as_the_model_says
        }
    };
}

const SEATS: u32 = 20;
const PLACES: u32 = 120;
const TEN_MINUTES: Duration = Duration::from_secs(600);

/// A new event of a new organization, not loaded.
fn new_event<S>(subject: &Subject<S>) -> EventScope {
    let environment: &dyn Environment = &*subject.environment;
    EventScope { organization: fresh(environment), event: fresh(environment) }
}

/// Seats 0..20 and a floor 20..120, nothing sold.
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

/// Installs under a lease of the test's own.
async fn installed<S: InventoryStore>(store: &Arc<S>, scope: EventScope, install: Install) -> Answer<Position> {
    let lease = uuid::Uuid::from_u128(7);
    assert_eq!(store.lease_rebuild(scope, lease, Duration::from_secs(5)).await.unwrap(), Lease::Given);
    store.install(scope, lease, install).await
}

/// A new event, loaded under epoch 1.
async fn loaded<S: InventoryStore>(subject: &Subject<S>) -> EventScope {
    let scope = new_event(subject);
    let position = installed(&subject.store, scope, plan(1)).await.unwrap();
    assert_eq!(position, Position { epoch: Epoch(1), seq: 0 });
    scope
}

/// A request of a new session, for ten minutes.
fn request<S>(subject: &Subject<S>, picks: Vec<Pick>) -> HoldRequest {
    let environment: &dyn Environment = &*subject.environment;
    HoldRequest {
        hold: fresh(environment),
        session: fresh(environment),
        picks,
        terms: r#"{"price":1}"#.into(),
        lasts_millis: 600_000,
        places_per_session: 10,
        of_version: 1,
        address: None,
        places_per_address: u32::MAX,
    }
}

fn seats(places: &[u32]) -> Vec<Pick> {
    places.iter().map(|place| Pick::Place(PlaceNumber(*place))).collect()
}

fn floor(quantity: u32) -> Pick {
    Pick::Any { range: SEATS..PLACES, quantity }
}

fn effect(place: u32, state: PlaceState, version: u32) -> PlaceEffect {
    PlaceEffect { place: PlaceNumber(place), state, owner: None, version: PlaceVersion(version) }
}

fn numbers(record: &HoldRecord) -> Vec<u32> {
    record.places.iter().flatten().map(|place| place.0).collect()
}

/// The refusal in an answer that must be one.
fn refusal<T: std::fmt::Debug>(answer: Answer<T>) -> Refusal {
    match answer {
        Err(InventoryError::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

fn code<T: std::fmt::Debug>(answer: Answer<T>) -> Code {
    refusal(answer).code
}

fn is_unloaded<T>(answer: &Answer<T>) -> bool {
    matches!(answer, Err(InventoryError::Unloaded))
}

async fn look<S: InventoryStore>(subject: &Subject<S>, scope: EventScope, place: u32) -> Shown {
    subject.store.snapshot(scope).await.unwrap().places[place as usize]
}

/// The counts of seats and floor together, which must add up.
async fn counts<S: InventoryStore>(subject: &Subject<S>, scope: EventScope) -> Counts {
    let snapshot = subject.store.snapshot(scope).await.unwrap();
    let mut sum = Counts::default();
    for (span, counts) in snapshot.areas.iter().zip(&snapshot.counts) {
        let area = &snapshot.places[span.places.start as usize..span.places.end as usize];
        let mut seen = Counts::default();
        area.iter().for_each(|shown| *seen.of(*shown) += 1);
        assert_eq!(*counts, seen, "counts are those of the places");
        area.iter().for_each(|shown| *sum.of(*shown) += 1);
    }
    assert_eq!(sum.total(), PLACES);
    sum
}

/// Runs one call per number at the same time, each on a task of its own.
async fn race<S, T, F, Fut>(subject: &Subject<S>, many: u32, call: F) -> Vec<T>
where
    S: InventoryStore,
    T: Send + 'static,
    F: Fn(Arc<S>, u32) -> Fut,
    Fut: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = (0..many).map(|number| tokio::spawn(call(Arc::clone(&subject.store), number))).collect();
    let mut answers = vec![];
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

/// A hold and a session out of thin air.
fn someone<S>(subject: &Subject<S>) -> (HoldId, SessionId) {
    let environment: &dyn Environment = &*subject.environment;
    (fresh(environment), fresh(environment))
}
