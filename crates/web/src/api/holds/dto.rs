//! Defines the JSON of holds and parses their items.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use voelgoed_app::ticketing::choose_places::HoldItem;
use voelgoed_app::ticketing::hold_view::HoldView;
use voelgoed_domain::ids::{AreaId, HoldId, TicketTypeId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_domain::ticketing::quote::PricedPlace;
use voelgoed_domain::time::Timestamp;

use crate::api::money::MoneyDto;

/// One item: a seat by its place, or a quantity of an area.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemDto {
    /// A seat.
    pub place: Option<u32>,
    /// An area, with `quantity`.
    #[schema(value_type = Option<String>)]
    pub area: Option<AreaId>,
    /// How many places of the area.
    #[schema(minimum = 1)]
    pub quantity: Option<u32>,
    /// As which ticket type.
    #[schema(value_type = String)]
    pub ticket_type: TicketTypeId,
    /// Requests wheelchair spaces: `true`, or with `area` the number of places. Without it no accessible place is given.
    #[serde(default)]
    #[schema(schema_with = accessible_schema)]
    pub accessible: AccessibleDto,
    /// The number of places for companions of wheelchair users (best available only).
    #[serde(default)]
    pub companions: u32,
}

/// Which places of an item must be accessible.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
pub enum AccessibleDto {
    /// All of them, or none.
    All(bool),
    /// This number of them.
    Some(u32),
}

impl Default for AccessibleDto {
    fn default() -> Self {
        Self::Some(0)
    }
}

impl AccessibleDto {
    /// The number of accessible places among `quantity`.
    const fn of(self, quantity: u32) -> u32 {
        match self {
            Self::All(true) => quantity,
            Self::All(false) => 0,
            Self::Some(count) => count,
        }
    }
}

fn accessible_schema() -> RefOr<Schema> {
    let boolean = ObjectBuilder::new().schema_type(Type::Boolean);
    let count = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(u32::MAX));
    RefOr::T(Schema::OneOf(OneOfBuilder::new().item(boolean).item(count).build()))
}

/// The places to hold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldBody {
    /// All or nothing.
    pub items: Vec<ItemDto>,
    /// True: a seated area's quantity is chosen together.
    #[serde(default)]
    pub best_available: bool,
    /// A promo code.
    pub code: Option<String>,
}

/// A held place with its price.
#[derive(Debug, Serialize, ToSchema)]
pub struct PricedPlaceDto {
    place: u32,
    label: String,
    #[schema(value_type = String)]
    ticket_type: TicketTypeId,
    ticket_type_name: String,
    price: MoneyDto,
}

/// A hold.
#[derive(Debug, Serialize, ToSchema)]
pub struct HoldDto {
    /// `hold_…`
    #[schema(value_type = String)]
    pub id: HoldId,
    /// Proves that the hold is yours: `X-Token`, and `hold_token` of an order.
    pub token: String,
    items: Vec<PricedPlaceDto>,
    fees: MoneyDto,
    tax: MoneyDto,
    total: MoneyDto,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
    epoch: u64,
}

impl HoldDto {
    pub fn new(view: HoldView, token: String) -> Self {
        let terms = &view.terms.terms;
        Self {
            id: view.id,
            token,
            fees: terms.fees().into(),
            tax: terms.tax().into(),
            total: terms.total().into(),
            items: view.places.into_iter().map(Into::into).collect(),
            expires_at: view.record.expires_at,
            now: view.now,
            epoch: view.record.epoch.0,
        }
    }
}

impl From<PricedPlace> for PricedPlaceDto {
    fn from(priced: PricedPlace) -> Self {
        Self {
            place: priced.place.0,
            label: priced.label,
            ticket_type: priced.ticket_type,
            ticket_type_name: priced.ticket_type_name,
            price: priced.price.into(),
        }
    }
}

/// A change of a hold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeBody {
    /// Places to add.
    #[serde(default)]
    pub add: Vec<ItemDto>,
    /// Places to give back.
    #[serde(default)]
    pub remove: Vec<u32>,
    /// A promo code for the hold's places.
    pub code: Option<String>,
}

/// Parses items for a command.
///
/// # Errors
/// `invalid_request` with the item's field.
pub fn parse_items(items: Vec<ItemDto>, field: &str) -> Result<Vec<HoldItem>, Refusal> {
    let parse = |(at, item): (usize, ItemDto)| match (item.place, item.area, item.quantity) {
        (Some(place), None, None) => Ok(HoldItem::Place {
            place: PlaceNumber(place),
            ticket_type: item.ticket_type,
            accessible: item.accessible.of(1) > 0,
        }),
        (None, Some(_), Some(0)) => {
            Err(Refusal::invalid(format!("{field}[{at}].quantity"), "Ask for at least one place."))
        }
        (None, Some(area), Some(quantity)) => Ok(HoldItem::Area {
            area,
            quantity,
            ticket_type: item.ticket_type,
            accessible: item.accessible.of(quantity),
            companions: item.companions,
        }),
        _ => Err(Refusal::invalid(format!("{field}[{at}]"), "Give either `place`, or `area` and `quantity`.")),
    };
    items.into_iter().enumerate().map(parse).collect()
}
