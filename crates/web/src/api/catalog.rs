//! What organizers make: venues, events, ticket types, price rules; and what they do with an event.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voelgoed_app::accounts::audit::audit;
use voelgoed_app::catalog::create_event::create_event as create_event_command;
use voelgoed_app::catalog::create_price_rule::create_price_rule as create_price_rule_command;
use voelgoed_app::catalog::create_ticket_type::create_ticket_type as create_ticket_type_command;
use voelgoed_app::catalog::create_venue::create_venue as create_venue_command;
use voelgoed_app::catalog::move_event::move_event;
use voelgoed_app::catalog::ports::Venue;
use voelgoed_app::ticketing::block::{block as block_command, unblock as unblock_command};
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::catalog::event::{Event, EventAct, EventDraft, EventLimits, FeePolicy, SaleWindow, TaxPolicy};
use voelgoed_domain::catalog::price_rule::{PriceEffect, PriceRule, PriceRuleDraft};
use voelgoed_domain::catalog::ticket_type::{PriceOverride, TicketType, TicketTypeDraft, TicketTypeLimits};
use voelgoed_domain::ids::{AreaId, EventId, LayoutId, PriceRuleId, TicketTypeId, VenueId};
use voelgoed_domain::money::Currency;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::place::PlaceNumber;
use voelgoed_domain::time::Timestamp;

use super::created::{created, idempotent, json};
use super::events::{
    EventLimitsDto, EventSummaryDto, FeesDto, SaleWindowDto, TaxDto, TicketTypeDto, TicketTypeLimitsDto, summary,
    ticket_type,
};
use super::money::MoneyDto;
use super::paging::{ListDto, ListParams};
use crate::extract::{Body, OptionalKey, Organizer, Params, PathId};
use crate::problem::{Answer, Problem};
use crate::state::Web;

/// A venue to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VenueBody {
    name: String,
    #[serde(default)]
    address: String,
}

/// A venue.
#[derive(Debug, Serialize, ToSchema)]
pub struct VenueDto {
    #[schema(value_type = String)]
    id: VenueId,
    name: String,
    address: String,
}

fn venue(found: &Venue) -> VenueDto {
    VenueDto { id: found.id, name: found.name.clone(), address: found.address.clone() }
}

/// Adds a venue.
#[utoipa::path(post, path = "/api/v1/venues", request_body = VenueBody, tag = "catalog",
    responses((status = 201, body = VenueDto), (status = 403, body = Problem)))]
pub async fn create_venue(
    State(web): State<Web>,
    caller: Organizer,
    key: OptionalKey,
    body: Body<VenueBody>,
) -> Answer<Response> {
    caller.may(Scope::Catalog)?;
    let show = |found: &Venue| json(&venue(found));
    let repeat = idempotent(key.of(&caller.actor, body.digest), &show);
    let outcome =
        create_venue_command(&web.platform, caller.organization, &body.value.name, &body.value.address, repeat).await?;
    audit(&web.platform, caller.organization, &caller.actor, "venue.create", &body.value.name).await;
    Ok(created(outcome, show))
}

/// The venues, oldest first.
#[utoipa::path(get, path = "/api/v1/venues", params(ListParams), tag = "catalog",
    responses((status = 200, body = ListDto<VenueDto>), (status = 403, body = Problem)))]
pub async fn list_venues(
    State(web): State<Web>,
    caller: Organizer,
    Params(params): Params<ListParams>,
) -> Answer<Json<ListDto<VenueDto>>> {
    caller.may(Scope::Catalog)?;
    let found = web.platform.catalog.venues(caller.organization, params.page()?).await?;
    Ok(Json(ListDto::of(found, |found| venue(&found))))
}

/// An event to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EventBody {
    name: String,
    #[schema(value_type = String)]
    layout: LayoutId,
    #[schema(value_type = String, format = DateTime)]
    starts_at: Timestamp,
    /// IANA name.
    timezone: String,
    sale: SaleWindowDto,
    #[schema(value_type = String, example = "ZAR")]
    currency: Currency,
    #[serde(default)]
    fees: FeesDto,
    #[serde(default)]
    tax: TaxDto,
    limits: Option<EventLimitsDto>,
}

impl From<EventBody> for EventDraft {
    fn from(body: EventBody) -> Self {
        let limits = body.limits.map_or_else(EventLimits::default, |limits| EventLimits {
            places_per_hold: limits.places_per_hold,
            places_per_session: limits.places_per_session,
        });
        Self {
            name: body.name,
            layout: body.layout,
            starts_at: body.starts_at,
            timezone: body.timezone,
            sale: SaleWindow { opens_at: body.sale.opens_at, closes_at: body.sale.closes_at },
            currency: body.currency,
            fees: FeePolicy { per_ticket: body.fees.per_ticket, basis_points: body.fees.basis_points },
            tax: TaxPolicy { basis_points: body.tax.basis_points, included: body.tax.included },
            limits,
        }
    }
}

/// Adds an event as a draft.
#[utoipa::path(post, path = "/api/v1/events", request_body = EventBody, tag = "catalog",
    responses((status = 201, body = EventSummaryDto), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn create_event(
    State(web): State<Web>,
    caller: Organizer,
    key: OptionalKey,
    body: Body<EventBody>,
) -> Answer<Response> {
    caller.may(Scope::Catalog)?;
    let show = |event: &Event| json(&summary(event, String::new()));
    let repeat = idempotent(key.of(&caller.actor, body.digest), &show);
    let name = body.value.name.clone();
    let outcome = create_event_command(&web.platform, caller.organization, body.value.into(), repeat).await?;
    audit(&web.platform, caller.organization, &caller.actor, "event.create", name).await;
    Ok(created(outcome, show))
}

/// The organization's own events, drafts included.
#[utoipa::path(get, path = "/api/v1/organization/events", params(ListParams), tag = "catalog",
    responses((status = 200, body = ListDto<EventSummaryDto>), (status = 403, body = Problem)))]
pub async fn list_own_events(
    State(web): State<Web>,
    caller: Organizer,
    Params(params): Params<ListParams>,
) -> Answer<Json<ListDto<EventSummaryDto>>> {
    caller.may(Scope::Catalog)?;
    let found = web.platform.catalog.events(Some(caller.organization), false, params.page()?).await?;
    Ok(Json(ListDto::of(found, |item| summary(&item.event, item.venue))))
}

/// A ticket type to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TicketTypeBody {
    #[schema(value_type = String)]
    event: EventId,
    name: String,
    price: MoneyDto,
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    areas: Vec<AreaId>,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default)]
    prices: Vec<PriceBody>,
    limits: Option<TicketTypeLimitsDto>,
}

/// A more specific price.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceBody {
    #[schema(value_type = Option<String>)]
    area: Option<AreaId>,
    category: Option<String>,
    amount: i64,
}

impl From<TicketTypeBody> for TicketTypeDraft {
    fn from(body: TicketTypeBody) -> Self {
        let overrides = body.prices.into_iter();
        Self {
            name: body.name,
            price: body.price.into(),
            areas: body.areas,
            categories: body.categories,
            prices: overrides
                .map(|price| PriceOverride { area: price.area, category: price.category, amount: price.amount })
                .collect(),
            limits: body.limits.map_or_else(TicketTypeLimits::default, |limits| TicketTypeLimits {
                min_per_hold: limits.min_per_hold,
                max_per_hold: limits.max_per_hold,
            }),
        }
    }
}

/// Says what is sold for an event's places, and for how much.
#[utoipa::path(post, path = "/api/v1/ticket-types", request_body = TicketTypeBody, tag = "catalog",
    responses((status = 201, body = TicketTypeDto), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn create_ticket_type(
    State(web): State<Web>,
    caller: Organizer,
    key: OptionalKey,
    body: Body<TicketTypeBody>,
) -> Answer<Response> {
    caller.may(Scope::Catalog)?;
    let scope = caller.event(&web, body.value.event).await?;
    let show = |found: &TicketType| json(&ticket_type(found));
    let repeat = idempotent(key.of(&caller.actor, body.digest), &show);
    let outcome = create_ticket_type_command(&web.platform, scope, body.value.into(), repeat).await?;
    audit(&web.platform, caller.organization, &caller.actor, "ticket_type.create", scope.event).await;
    Ok(created(outcome, show))
}

/// Takes a ticket type off sale; holds and orders keep theirs.
#[utoipa::path(delete, path = "/api/v1/ticket-types/{ticket_type}", params(("ticket_type" = String, Path)), tag = "catalog",
    responses((status = 204), (status = 404, body = Problem)))]
pub async fn retire_ticket_type(
    State(web): State<Web>,
    caller: Organizer,
    PathId(id): PathId<TicketTypeId>,
) -> Answer<StatusCode> {
    caller.may(Scope::Catalog)?;
    if !web.platform.catalog.retire_ticket_type(caller.organization, id, web.platform.environment.now()).await? {
        return Err(Refusal::not_found().into());
    }
    audit(&web.platform, caller.organization, &caller.actor, "ticket_type.retire", id).await;
    Ok(StatusCode::NO_CONTENT)
}

/// A price rule to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceRuleBody {
    #[schema(value_type = String)]
    event: EventId,
    /// What the buyer types; absent where the rule applies by itself.
    code: Option<String>,
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    ticket_types: Vec<TicketTypeId>,
    /// `{"basis_points_off": 1000}`, `{"amount_off": 500}` or `{"price": 0}`.
    #[schema(value_type = Object)]
    effect: PriceEffect,
    #[schema(value_type = Option<String>, format = DateTime)]
    starts_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Timestamp>,
}

/// A price rule.
#[derive(Debug, Serialize, ToSchema)]
pub struct PriceRuleDto {
    #[schema(value_type = String)]
    id: PriceRuleId,
    #[schema(value_type = String)]
    event: EventId,
    code: Option<String>,
    #[schema(value_type = Object)]
    effect: PriceEffect,
}

/// Changes prices under a condition, e.g. a promo code.
#[utoipa::path(post, path = "/api/v1/price-rules", request_body = PriceRuleBody, tag = "catalog",
    responses((status = 201, body = PriceRuleDto), (status = 400, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn create_price_rule(
    State(web): State<Web>,
    caller: Organizer,
    key: OptionalKey,
    body: Body<PriceRuleBody>,
) -> Answer<Response> {
    caller.may(Scope::Catalog)?;
    let scope = caller.event(&web, body.value.event).await?;
    let show = |rule: &PriceRule| {
        json(&PriceRuleDto { id: rule.id, event: rule.event, code: rule.code.clone(), effect: rule.effect })
    };
    let repeat = idempotent(key.of(&caller.actor, body.digest), &show);
    let PriceRuleBody { code, ticket_types, effect, starts_at, ends_at, .. } = body.value;
    let draft = PriceRuleDraft { code, ticket_types, effect, starts_at, ends_at };
    let outcome = create_price_rule_command(&web.platform, scope, draft, repeat).await?;
    audit(&web.platform, caller.organization, &caller.actor, "price_rule.create", scope.event).await;
    Ok(created(outcome, show))
}

async fn act(
    web: &Web,
    caller: &Organizer,
    event: EventId,
    act: EventAct,
    action: &str,
) -> Answer<Json<EventSummaryDto>> {
    caller.may(Scope::Catalog)?;
    let scope = caller.event(web, event).await?;
    let moved = move_event(&web.platform, scope, act).await?;
    audit(&web.platform, caller.organization, &caller.actor, action, event).await;
    let venue = web.platform.listings.venue(scope).await?;
    Ok(Json(summary(&moved, venue.name.clone())))
}

/// Shows the event to all, and sells it within its window.
#[utoipa::path(post, path = "/api/v1/events/{event}/publish", params(("event" = String, Path)), tag = "catalog",
    responses((status = 200, body = EventSummaryDto), (status = 404, body = Problem), (status = 409, body = Problem, description = "wrong_state")))]
pub async fn publish(
    State(web): State<Web>,
    caller: Organizer,
    PathId(event): PathId<EventId>,
) -> Answer<Json<EventSummaryDto>> {
    act(&web, &caller, event, EventAct::Publish, "event.publish").await
}

/// Stops selling for a while; holds and orders go on.
#[utoipa::path(post, path = "/api/v1/events/{event}/pause", params(("event" = String, Path)), tag = "catalog",
    responses((status = 200, body = EventSummaryDto), (status = 404, body = Problem), (status = 409, body = Problem, description = "wrong_state")))]
pub async fn pause(
    State(web): State<Web>,
    caller: Organizer,
    PathId(event): PathId<EventId>,
) -> Answer<Json<EventSummaryDto>> {
    act(&web, &caller, event, EventAct::Pause, "event.pause").await
}

/// Sells again after a pause.
#[utoipa::path(post, path = "/api/v1/events/{event}/open", params(("event" = String, Path)), tag = "catalog",
    responses((status = 200, body = EventSummaryDto), (status = 404, body = Problem), (status = 409, body = Problem, description = "wrong_state")))]
pub async fn open(
    State(web): State<Web>,
    caller: Organizer,
    PathId(event): PathId<EventId>,
) -> Answer<Json<EventSummaryDto>> {
    act(&web, &caller, event, EventAct::Open, "event.open").await
}

/// Stops selling for good.
#[utoipa::path(post, path = "/api/v1/events/{event}/close", params(("event" = String, Path)), tag = "catalog",
    responses((status = 200, body = EventSummaryDto), (status = 404, body = Problem), (status = 409, body = Problem, description = "wrong_state")))]
pub async fn close(
    State(web): State<Web>,
    caller: Organizer,
    PathId(event): PathId<EventId>,
) -> Answer<Json<EventSummaryDto>> {
    act(&web, &caller, event, EventAct::Close, "event.close").await
}

/// Places to keep back, or to give back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BlocksBody {
    places: Vec<u32>,
    /// Why, for the organizer's own people.
    #[serde(default)]
    reason: String,
}

/// The places that were given back.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnblockedDto {
    places: Vec<u32>,
}

/// Keeps places back, all or nothing.
#[utoipa::path(post, path = "/api/v1/events/{event}/blocks", params(("event" = String, Path)), request_body = BlocksBody, tag = "ticketing",
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem, description = "place_taken")))]
pub async fn block(
    State(web): State<Web>,
    caller: Organizer,
    PathId(event): PathId<EventId>,
    body: Body<BlocksBody>,
) -> Answer<StatusCode> {
    caller.may(Scope::Catalog)?;
    let scope = caller.event(&web, event).await?;
    let places = body.value.places.into_iter().map(PlaceNumber).collect();
    block_command(&web.platform, scope, places, body.value.reason).await?;
    audit(&web.platform, caller.organization, &caller.actor, "places.block", event).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives blocked places back to the sale; those that are not blocked are left alone.
#[utoipa::path(delete, path = "/api/v1/events/{event}/blocks", params(("event" = String, Path)), request_body = BlocksBody, tag = "ticketing",
    responses((status = 200, body = UnblockedDto), (status = 404, body = Problem)))]
pub async fn unblock(
    State(web): State<Web>,
    caller: Organizer,
    PathId(event): PathId<EventId>,
    body: Body<BlocksBody>,
) -> Answer<Json<UnblockedDto>> {
    caller.may(Scope::Catalog)?;
    let scope = caller.event(&web, event).await?;
    let places = body.value.places.into_iter().map(PlaceNumber).collect();
    let given = unblock_command(&web.platform, scope, places).await?;
    audit(&web.platform, caller.organization, &caller.actor, "places.unblock", event).await;
    Ok(Json(UnblockedDto { places: given.iter().map(|place| place.0).collect() }))
}
