//! Events as their organizer makes and lists them, drafts included.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;
use voelgoed_app::catalog::change_event::change_event as change_event_command;
use voelgoed_app::catalog::create_event::create_event as create_event_command;
use voelgoed_app::catalog::delete_event::delete_event as delete_event_command;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::catalog::admission::AdmissionTimes;
use voelgoed_domain::catalog::event::{Event, EventChange, EventDraft, EventLimits, FeePolicy, SaleWindow, TaxPolicy};
use voelgoed_domain::ids::{EventId, LayoutId};
use voelgoed_domain::money::Currency;
use voelgoed_domain::scanning::entry::EntryRule;
use voelgoed_domain::time::Timestamp;

use crate::api::created::{created, idempotent, or_replayed};
use crate::api::events::{EventLimitsDto, EventSummaryDto, FeesDto, SaleWindowDto, TaxDto, summary};
use crate::api::paging::{ListDto, ListParams};
use crate::extract::{Body, OptionalKey, Organizer, Params, PathId};
use crate::problem::{Answer, Problem};
use crate::rendered::json;
use crate::state::Web;

/// An event to make.
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
    /// From when its tickets admit, whatever the doors.
    #[schema(value_type = Option<String>, format = DateTime)]
    admits_from: Option<Timestamp>,
    /// Until when its tickets admit, exclusive, whatever the end.
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
    #[serde(default = "EntryRule::usual")]
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
    State(web): State<Web>,
    caller: Organizer,
    key: OptionalKey,
    body: Body<EventBody>,
) -> Answer<Response> {
    caller.may(Scope::Catalog)?;
    let show = |event: &Event| json(&summary(event, String::new()));
    let key = key.of(&caller.actor, body.digest);
    let repeat = idempotent(key.clone(), &show);
    let command = create_event_command(&web.platform, caller.organization, body.value.into(), repeat);
    let outcome = caller.act(&web, "event.create", "", command).await;
    let outcome = or_replayed(&web, caller.organization, key.as_ref(), outcome).await?;
    Ok(created(outcome, show))
}

/// What changes of an event; what is absent stays. A time that is given as `null` takes its default again.
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

/// Tells `null` from absent.
fn given<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<Timestamp>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// Changes an event in any state of it: its name, dates, doors, admission, sale window. Tickets that are sold stay valid.
#[utoipa::path(patch, path = "/api/v1/events/{event}", params(("event" = String, Path)), request_body = EventChangeBody, tag = "catalog",
    responses((status = 200, body = EventSummaryDto), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn change_event(
    State(web): State<Web>,
    caller: Organizer,
    PathId(event): PathId<EventId>,
    body: Body<EventChangeBody>,
) -> Answer<Json<EventSummaryDto>> {
    caller.may(Scope::Catalog)?;
    let scope = caller.event(&web, event).await?;
    let EventChangeBody { name, starts_at, timezone, sale, doors_at, ends_at, admits_from, admits_until } = body.value;
    let sale = sale.map(|sale| SaleWindow { opens_at: sale.opens_at, closes_at: sale.closes_at });
    let change = EventChange { name, starts_at, timezone, sale, doors_at, ends_at, admits_from, admits_until };
    let command = change_event_command(&web.platform, scope, change);
    let changed = caller.act(&web, "event.change", event, command).await?;
    let venue = web.platform.listings.venue(scope).await?;
    Ok(Json(summary(&changed, venue.name.clone())))
}

/// Deletes a draft with its ticket types, price rules, gates, devices and blocks.
#[utoipa::path(delete, path = "/api/v1/events/{event}", params(("event" = String, Path)), tag = "catalog",
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem, description = "wrong_state")))]
pub async fn delete_event(
    State(web): State<Web>,
    caller: Organizer,
    PathId(event): PathId<EventId>,
) -> Answer<StatusCode> {
    caller.may(Scope::Catalog)?;
    let scope = caller.event(&web, event).await?;
    caller.act(&web, "event.delete", event, delete_event_command(&web.platform, scope)).await?;
    Ok(StatusCode::NO_CONTENT)
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
