//! Lets organizers create, change, delete and list their events, drafts included.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;
use utoipa_axum::routes;
use voelgoed_app::catalog::Catalog;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::catalog::admission_window::AdmissionTimes;
use voelgoed_domain::catalog::event::{Event, EventChange, EventDraft, EventLimits, FeePolicy, SaleWindow, TaxPolicy};
use voelgoed_domain::ids::{EventId, LayoutId};
use voelgoed_domain::money::Currency;
use voelgoed_domain::scanning::entry::EntryRule;
use voelgoed_domain::time::Timestamp;

use crate::api::events::{EventLimitsDto, EventSummaryDto, FeesDto, SaleWindowDto, TaxDto, summary};
use crate::api::idempotent_response::{created_response, idempotent};
use crate::api::paging::{ListDto, ListParams};
use crate::extract::{JsonBody, OptionalKey, Organizer, PathId, QueryParams};
use crate::json_bytes::json;
use crate::problem::{HandlerResult, Problem};
use crate::routes::{Access, Class, Route, api};

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![
        api(routes!(create_event), Access::Organizer(Scope::Catalog), Catalog::NAME),
        api(routes!(change_event), Access::Organizer(Scope::Catalog), Catalog::NAME).class(Class::Hold),
        api(routes!(delete_event), Access::Organizer(Scope::Catalog), Catalog::NAME).class(Class::Hold),
        api(routes!(list_own_events), Access::Organizer(Scope::Catalog), Catalog::NAME).class(Class::Report),
    ]
}

/// An event to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EventBody {
    name: String,
    #[schema(value_type = String)]
    layout: LayoutId,
    #[schema(value_type = String, format = DateTime)]
    starts_at: Timestamp,
    /// When the doors open; its tickets admit from then on, and else from 24 h before the start.
    #[schema(value_type = Option<String>, format = DateTime)]
    doors_at: Option<Timestamp>,
    /// When it ends; its tickets admit until 24 h later. 6 h after the start where absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Timestamp>,
    /// From when its tickets admit, instead of the time of the doors.
    #[schema(value_type = Option<String>, format = DateTime)]
    admits_from: Option<Timestamp>,
    /// Until when its tickets admit, exclusive, instead of 24 h after the end.
    #[schema(value_type = Option<String>, format = DateTime)]
    admits_until: Option<Timestamp>,
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
    /// `single` (the default): each ticket admits once; `reentry`: again after each exit scan.
    #[serde(default = "EntryRule::default")]
    #[schema(value_type = String, example = "single")]
    entry_rule: EntryRule,
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
            admission: AdmissionTimes {
                doors_at: body.doors_at,
                ends_at: body.ends_at,
                admits_from: body.admits_from,
                admits_until: body.admits_until,
            },
            timezone: body.timezone,
            sale: SaleWindow { opens_at: body.sale.opens_at, closes_at: body.sale.closes_at },
            currency: body.currency,
            fees: FeePolicy { per_ticket: body.fees.per_ticket, basis_points: body.fees.basis_points },
            tax: TaxPolicy { basis_points: body.tax.basis_points, included: body.tax.included },
            limits,
            entry_rule: body.entry_rule,
        }
    }
}

/// Adds an event as a draft.
#[utoipa::path(post, path = "/api/v1/events", request_body = EventBody, tag = "catalog",
    responses((status = 201, body = EventSummaryDto), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn create_event(
    State(catalog): State<Arc<Catalog>>,
    caller: Organizer,
    key: OptionalKey,
    body: JsonBody<EventBody>,
) -> HandlerResult<Response> {
    let show = |event: &Event| json(&summary(event, String::new()));
    let key = key.of(&caller.actor, body.digest);
    let repeat = idempotent(key.clone(), &show);
    let command = catalog.create_event(caller.organization, body.value.into(), repeat);
    let outcome = caller.act("event.create", "", command).await;
    let outcome = caller.outcome_or_replay(key.as_ref(), outcome).await?;
    Ok(created_response(outcome, show))
}

/// A change of an event; absent fields stay as they are. A time of `null` takes its default again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EventChangeBody {
    name: Option<String>,
    /// Another start: doors, end and admission times that are not given here move with it, those of ticket types too.
    #[schema(value_type = Option<String>, format = DateTime)]
    starts_at: Option<Timestamp>,
    /// IANA name.
    timezone: Option<String>,
    sale: Option<SaleWindowDto>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = DateTime)]
    doors_at: Option<Option<Timestamp>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Option<Timestamp>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = DateTime)]
    admits_from: Option<Option<Timestamp>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = DateTime)]
    admits_until: Option<Option<Timestamp>>,
}

/// Distinguishes `null` from an absent field.
fn given<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<Timestamp>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// Changes an event in any state: its name, dates, doors, admission, sale window. Tickets that are sold stay valid.
#[utoipa::path(patch, path = "/api/v1/events/{event}", params(("event" = String, Path)), request_body = EventChangeBody, tag = "catalog",
    responses((status = 200, body = EventSummaryDto), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn change_event(
    State(catalog): State<Arc<Catalog>>,
    caller: Organizer,
    PathId(event): PathId<EventId>,
    body: JsonBody<EventChangeBody>,
) -> HandlerResult<Json<EventSummaryDto>> {
    let scope = caller.event(event).await?;
    let EventChangeBody { name, starts_at, timezone, sale, doors_at, ends_at, admits_from, admits_until } = body.value;
    let sale = sale.map(|sale| SaleWindow { opens_at: sale.opens_at, closes_at: sale.closes_at });
    let change = EventChange { name, starts_at, timezone, sale, doors_at, ends_at, admits_from, admits_until };
    let command = catalog.change_event(scope, change);
    let changed = caller.act("event.change", event, command).await?;
    let venue = catalog.listings.venue(scope).await?;
    Ok(Json(summary(&changed, venue.name.clone())))
}

/// Deletes a draft with its ticket types, price rules, gates, devices and blocks.
#[utoipa::path(delete, path = "/api/v1/events/{event}", params(("event" = String, Path)), tag = "catalog",
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem, description = "wrong_state")))]
pub async fn delete_event(
    State(catalog): State<Arc<Catalog>>,
    caller: Organizer,
    PathId(event): PathId<EventId>,
) -> HandlerResult<StatusCode> {
    let scope = caller.event(event).await?;
    caller.act("event.delete", event, catalog.delete_event(scope)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The organization's own events, drafts included.
#[utoipa::path(get, path = "/api/v1/organization/events", params(ListParams), tag = "catalog",
    responses((status = 200, body = ListDto<EventSummaryDto>), (status = 403, body = Problem)))]
pub async fn list_own_events(
    State(catalog): State<Arc<Catalog>>,
    caller: Organizer,
    QueryParams(params): QueryParams<ListParams>,
) -> HandlerResult<Json<ListDto<EventSummaryDto>>> {
    let found = catalog.store.events(Some(caller.organization), false, params.page()?).await?;
    Ok(Json(ListDto::of(found, |item| summary(&item.event, item.venue))))
}
