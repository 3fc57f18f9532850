//! Shortens what most cases do: new sessions, holds of the field, refusals and their codes.

use std::fmt::Debug;

use uuid::Uuid;
use voelgoed_app::environment::new_id;
use voelgoed_app::error::{CommandError, CommandResult};
use voelgoed_app::idempotency::{Created, IdempotencyKey};
use voelgoed_app::ticketing::choose_places::HoldItem;
use voelgoed_app::ticketing::hold::HoldCommand;
use voelgoed_app::ticketing::hold_view::HoldView;
use voelgoed_domain::catalog::layout::{AreaDraft, RowDraft, Seat};
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{AreaId, OrderId, SessionId};
use voelgoed_domain::money::Money;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::decide::Observation;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::place::PlaceState;
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_testkit::platform::TestPlatform;

/// The refusal that a command must end with.
pub fn refusal<T: Debug>(result: CommandResult<T>) -> Refusal {
    match result {
        Err(CommandError::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

/// The code of the refusal that a command must end with.
pub fn code<T: Debug>(result: CommandResult<T>) -> Code {
    refusal(result).code
}

/// The code of the refusal and the name and size of its limit.
pub fn limit<T: Debug>(result: CommandResult<T>) -> (Code, &'static str, u64) {
    let refusal = refusal(result);
    let limit = refusal.evidence.limit.clone().unwrap_or_else(|| panic!("no limit: {refusal}"));
    (refusal.code, limit.name, limit.most)
}

/// Unwraps the value of a command that must have created it now.
pub fn created<T>(result: CommandResult<Created<T>>) -> T {
    match result.unwrap() {
        Created::Fresh(value) => value,
        Created::Replayed(_) => panic!("a replay"),
    }
}

/// An observation that the provider took an amount.
pub fn captured(amount: Money) -> Observation {
    Observation::Captured { amount, provider_ref: "ref".into() }
}

/// A new buyer's session.
pub fn session(shop: &TestPlatform) -> SessionId {
    new_id(&*shop.environment)
}

/// An idempotency key with the digest of a request.
pub fn key(key: &str, digest: u8) -> IdempotencyKey {
    IdempotencyKey { caller: "key_1".into(), key: key.into(), request: [digest; 32] }
}

/// A seated area whose rows have so many ordinary seats, side by side.
pub fn seated_area(number: u128, rows: &[u32]) -> AreaDraft {
    let seat = |row: usize, number: u32| Seat {
        label: number.to_string(),
        x: number as f32,
        y: row as f32,
        category: "stalls".into(),
        flags: vec![],
    };
    let row = |(at, seats): (usize, &u32)| {
        RowDraft::new((at + 1).to_string(), (1..=*seats).map(|number| seat(at, number)).collect())
    };
    let rows = rows.iter().enumerate().map(row).collect();
    AreaDraft::seated(AreaId::from_uuid(Uuid::from_u128(number)), format!("Stand {number}"), rows)
}

/// A field for so many people.
pub fn field_area(number: u128, capacity: u32) -> AreaDraft {
    AreaDraft::general(AreaId::from_uuid(Uuid::from_u128(number)), format!("Field {number}"), capacity, "standing")
}

/// A seat, as the platform's ticket type; wheelchair spaces are not refused.
pub fn seat(shop: &TestPlatform, place: u32) -> HoldItem {
    HoldItem::Place { place: PlaceNumber(place), ticket_type: shop.ticket_type, accessible: true }
}

/// Places of the area with this number, as the platform's ticket type.
pub async fn places_of_area(shop: &TestPlatform, area: usize, quantity: u32) -> HoldItem {
    let listing = shop.slices.catalog.listings.listing(shop.scope).await.unwrap();
    let area = listing.layout.areas[area].id;
    HoldItem::Area { area, quantity, ticket_type: shop.ticket_type, accessible: 0, companions: 0 }
}

/// A hold of named items for a session.
pub fn hold_command(shop: &TestPlatform, session: SessionId, items: Vec<HoldItem>) -> HoldCommand {
    HoldCommand {
        scope: shop.scope,
        session,
        address: None,
        items,
        best_available: false,
        code: None,
        repeatable: None,
    }
}

/// Holds items for a new session.
pub async fn hold(shop: &TestPlatform, items: Vec<HoldItem>) -> CommandResult<HoldView> {
    shop.slices.ticketing.hold(hold_command(shop, session(shop), items)).await
}

/// The places of a hold.
pub fn places(view: &HoldView) -> Vec<u32> {
    view.places.iter().map(|place| place.place.0).collect()
}

/// The states of an order and of its attempts in cold.
pub async fn states(shop: &TestPlatform, order: OrderId) -> (OrderState, Vec<AttemptState>) {
    let detail = shop.slices.checkout.read_order(shop.scope.organization, order).await.unwrap();
    (detail.order.state, detail.attempts.iter().map(|attempt| attempt.state).collect())
}

/// The state of a place in cold.
pub async fn place_state(shop: &TestPlatform, place: u32) -> PlaceState {
    let (organization, event) = (shop.scope.organization, shop.scope.event);
    let read = shop.slices.ticketing.places.read_places(organization, event, &[PlaceNumber(place)]).await.unwrap();
    read.first().map_or(PlaceState::Free, |effect| effect.state)
}
