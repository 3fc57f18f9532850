//! Holds: a buyer takes places for a while, changes them, or gives them back.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use voelgoed_app::error::Error;
use voelgoed_app::ticketing::change_hold::{ChangeHold, change_hold, changed_before};
use voelgoed_app::ticketing::hold::{HoldCommand, granted_before, hold, of_token};
use voelgoed_app::ticketing::picks::Item;
use voelgoed_app::ticketing::read_hold::read_hold;
use voelgoed_app::ticketing::release_hold::release_hold;
use voelgoed_app::ticketing::terms::HoldView;
use voelgoed_app::token::TokenKind;
use voelgoed_domain::ids::{AreaId, EventId, HoldId, TicketTypeId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::place::PlaceNumber;
use voelgoed_domain::ticketing::quote::PricedPlace;
use voelgoed_domain::time::Timestamp;

use super::created::REPLAYED_HEADER;
use super::events::located;
use super::money::MoneyDto;
use crate::extract::{Body, Buyer, BuyerToken, OptionalKey, PathId};
use crate::problem::{Answer, Problem};
use crate::rates;
use crate::rendered::{answer, json};
use crate::state::Web;

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
    /// A wheelchair space is asked for: `true`, or with `area` how many of the places. Without it no accessible place is given.
    #[serde(default)]
    #[schema(schema_with = accessible_schema)]
    pub accessible: AccessibleDto,
    /// How many of them for who comes with a wheelchair user (best available only).
    #[serde(default)]
    pub companions: u32,
}

/// Whether or for how many places an accessible one is asked for.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
pub enum AccessibleDto {
    /// For all of the item's places, or for none.
    All(bool),
    /// For so many of them.
    Some(u32),
}

impl Default for AccessibleDto {
    fn default() -> Self {
        Self::Some(0)
    }
}

impl AccessibleDto {
    /// For how many of `quantity` places.
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

/// What is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldBody {
    /// All of them or nothing.
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

/// A hold, told to its owner.
fn told(web: &Web, status: StatusCode, view: HoldView) -> Response {
    let terms = &view.terms.terms;
    let replayed = view.replayed;
    let hold = HoldDto {
        id: view.id,
        token: web.platform.tokens.mint(TokenKind::Hold, view.scope, view.id),
        fees: terms.fees().into(),
        tax: terms.tax().into(),
        total: terms.total().into(),
        items: view.places.into_iter().map(Into::into).collect(),
        expires_at: view.record.expires_at,
        now: view.now,
        epoch: view.record.epoch.0,
    };
    let mut response = answer(status, json(&hold));
    if replayed {
        response.headers_mut().insert(REPLAYED_HEADER, HeaderValue::from_static("true"));
    }
    response
}

/// Items as the command takes them.
///
/// # Errors
/// `invalid_request` with the item's field.
pub fn items(items: Vec<ItemDto>, field: &str) -> Result<Vec<Item>, Refusal> {
    let parse = |(at, item): (usize, ItemDto)| match (item.place, item.area, item.quantity) {
        (Some(place), None, None) => Ok(Item::Place {
            place: PlaceNumber(place),
            ticket_type: item.ticket_type,
            accessible: item.accessible.of(1) > 0,
        }),
        (None, Some(_), Some(0)) => {
            Err(Refusal::invalid(format!("{field}[{at}].quantity"), "Ask for at least one place."))
        }
        (None, Some(area), Some(quantity)) => Ok(Item::Area {
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

/// Takes places for a while, all or nothing.
#[utoipa::path(post, path = "/api/v1/events/{event}/holds", params(("event" = String, Path)), request_body = HoldBody, tag = "ticketing",
    responses((status = 201, body = HoldDto), (status = 409, body = Problem, description = "place_taken, sold_out, limit_reached, sale_closed"),
        (status = 429, body = Problem), (status = 503, body = Problem)))]
pub async fn create(
    State(web): State<Web>,
    PathId(event): PathId<EventId>,
    buyer: Buyer,
    key: OptionalKey,
    body: Body<HoldBody>,
) -> Answer<Response> {
    let repeatable = key.text().map(|key| (key, body.digest));
    if let Err(refused) = limited(&web, &buyer).await {
        let Some(repeatable) = repeatable else { return Err(refused.into()) };
        let scope = located(&web, event).await?;
        let view = granted_before(&web.platform, scope, buyer.session, &repeatable, refused).await?;
        return Ok(told(&web, StatusCode::CREATED, view));
    }
    let scope = located(&web, event).await?;
    let command = HoldCommand {
        scope,
        session: buyer.session,
        address: Some(buyer.address),
        items: items(body.value.items, "items")?,
        best_available: body.value.best_available,
        code: body.value.code,
        repeatable,
    };
    let (code, repeatable) = (command.code.clone(), command.repeatable.clone());
    let asked = rates::with_promo_code(&web, &buyer, code.as_deref(), hold(&web.platform, command)).await;
    let view = match (asked, repeatable) {
        (Err(Error::Refused(refused)), Some(repeatable)) if refused.code == Code::RateLimited => {
            granted_before(&web.platform, scope, buyer.session, &repeatable, refused).await?
        }
        (asked, _) => asked?,
    };
    Ok(told(&web, StatusCode::CREATED, view))
}

/// Counts a hold against the limits of session and address.
async fn limited(web: &Web, buyer: &Buyer) -> Result<(), Refusal> {
    buyer.limited(web).await?;
    rates::hold(web, buyer).await
}

/// A hold, while it lives.
#[utoipa::path(get, path = "/api/v1/holds/{hold}", params(("hold" = String, Path)), tag = "ticketing",
    responses((status = 200, body = HoldDto), (status = 404, body = Problem), (status = 410, body = Problem)))]
pub async fn show(State(web): State<Web>, PathId(id): PathId<HoldId>, token: BuyerToken) -> Answer<Response> {
    let scope = of_token(&web.platform, id, &token.0)?;
    Ok(told(&web, StatusCode::OK, read_hold(&web.platform, scope, id).await?))
}

/// What is to change of a hold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeBody {
    /// What is taken in addition.
    #[serde(default)]
    add: Vec<ItemDto>,
    /// Which of its places are given back.
    #[serde(default)]
    remove: Vec<u32>,
    /// A promo code for what the hold contains.
    code: Option<String>,
}

/// Adds places, gives some back, or applies a promo code, all or nothing; the end of the hold does not move.
#[utoipa::path(patch, path = "/api/v1/holds/{hold}", params(("hold" = String, Path)), request_body = ChangeBody, tag = "ticketing",
    responses((status = 200, body = HoldDto), (status = 404, body = Problem), (status = 409, body = Problem), (status = 410, body = Problem)))]
pub async fn change(
    State(web): State<Web>,
    PathId(hold): PathId<HoldId>,
    buyer: Buyer,
    token: BuyerToken,
    key: OptionalKey,
    body: Body<ChangeBody>,
) -> Answer<Response> {
    let scope = of_token(&web.platform, hold, &token.0)?;
    let ChangeBody { add, remove, code } = body.value;
    if add.is_empty() && remove.is_empty() && code.is_none() {
        return Err(Refusal::invalid("body", "Give `add`, `remove`, `code` or several of them.").into());
    }
    let remove = remove.into_iter().map(PlaceNumber).collect();
    let repeatable = key.text().map(|key| (key, body.digest));
    let change = ChangeHold { scope, hold, add: items(add, "add")?, remove, code, repeatable };
    if let Err(refused) = buyer.limited(&web).await {
        return Ok(told(&web, StatusCode::OK, changed_before(&web.platform, &change, refused).await?));
    }
    let asked = change_hold(&web.platform, change.clone());
    let changed = match rates::with_promo_code(&web, &buyer, change.code.as_deref(), asked).await {
        Err(Error::Refused(refused)) if refused.code == Code::RateLimited => {
            changed_before(&web.platform, &change, refused).await
        }
        changed => changed,
    };
    Ok(told(&web, StatusCode::OK, changed.map_err(named_as_added)?))
}

/// What is added is judged as the items of a hold are; this body calls them otherwise.
fn named_as_added(error: Error) -> Error {
    let Error::Refused(refusal) = error else { return error };
    let name = refusal.evidence.field.as_deref().and_then(|field| field.strip_prefix("items"));
    let name = name.map(|rest| format!("add{rest}"));
    Error::Refused(refusal.with(|evidence| evidence.field = name.or(evidence.field.take())))
}

/// Gives the places back; repeating it changes nothing.
#[utoipa::path(delete, path = "/api/v1/holds/{hold}", params(("hold" = String, Path)), tag = "ticketing",
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem, description = "already_ordered")))]
pub async fn release(State(web): State<Web>, PathId(id): PathId<HoldId>, token: BuyerToken) -> Answer<StatusCode> {
    let scope = of_token(&web.platform, id, &token.0)?;
    release_hold(&web.platform, scope, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
