//! Seating plans: given as JSON, or imported from the formats that organizers have.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use voelgoed_app::catalog::create_layout::create_layout;
use voelgoed_app::catalog::ports::StoredLayout;
use voelgoed_app::catalog::set_layout_flags::{SetLayoutFlags, set_layout_flags};
use voelgoed_app::environment::fresh;
use voelgoed_app::error::Error;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::catalog::import::{ImportFormat, Imported, as_finding, read as read_plan};
use voelgoed_domain::catalog::layout::{AreaDraft, RowDraft, Seat, SeatFlag};
use voelgoed_domain::ids::{LayoutId, VenueId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::place::PlaceNumber;
use voelgoed_domain::time::Timestamp;

use super::created::{created, idempotent, or_replayed};
use super::events::map::{MapAreaDto, map_area};
use super::paging::{ListDto, ListParams};
use crate::extract::{Asked, Body, OptionalKey, Organizer, Params, PathId, only_file};
use crate::precompressed::Precompressed;
use crate::problem::{Answer, FindingDto, Problem};
use crate::rendered::json;
use crate::state::Web;

/// A seating plan to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LayoutBody {
    #[schema(value_type = String)]
    venue: VenueId,
    areas: Vec<AreaBody>,
}

/// An area: with rows where it is seated, with a capacity where not.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AreaBody {
    name: String,
    rows: Option<Vec<RowBody>>,
    capacity: Option<u32>,
    /// The category of a general-admission area's places; its name where absent.
    category: Option<String>,
}

/// A row, left to right.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RowBody {
    name: String,
    /// What tickets say instead of `Row {name}`.
    label: Option<String>,
    /// What tickets say instead of `Seat {label}`, with `%s` for the label.
    seat_label: Option<String>,
    seats: Vec<SeatBody>,
}

/// A seat.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SeatBody {
    label: String,
    x: f32,
    y: f32,
    category: String,
    /// `accessible`, `companion`, `restricted_view`.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    flags: Vec<SeatFlag>,
}

/// A stored version of a seating plan, as lists show it.
#[derive(Debug, Serialize, ToSchema)]
pub struct LayoutLineDto {
    #[schema(value_type = String)]
    id: LayoutId,
    #[schema(value_type = String)]
    venue: VenueId,
    /// 1, 2, … within the venue; 0 in the answer that makes it where it is not yet known.
    version: u32,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// A stored version of a seating plan.
#[derive(Debug, Serialize, ToSchema)]
pub struct LayoutDto {
    #[serde(flatten)]
    line: LayoutLineDto,
    places: u32,
    areas: Vec<LayoutAreaDto>,
    /// What an import left out, assumed or changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<Vec<FindingDto>>,
}

/// A stored seating plan, whole.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanDto {
    #[serde(flatten)]
    line: LayoutLineDto,
    places: u32,
    /// How often flags of its seats were set.
    flags_version: u32,
    areas: Vec<PlanAreaDto>,
}

/// An area of a stored plan, whole: with `rows` where it is seated, with `first`, `count` and `category` where not.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanAreaDto {
    #[serde(flatten)]
    area: MapAreaDto,
    places: u32,
    /// How many people, where the area has no seats.
    #[serde(skip_serializing_if = "Option::is_none")]
    capacity: Option<u32>,
}

/// An area of a stored plan.
#[derive(Debug, Serialize, ToSchema)]
pub struct LayoutAreaDto {
    id: String,
    name: String,
    places: u32,
}

fn line(stored: &StoredLayout) -> LayoutLineDto {
    LayoutLineDto { id: stored.id, venue: stored.venue, version: stored.version, created_at: stored.created_at }
}

fn render(stored: &StoredLayout) -> LayoutDto {
    let areas = stored.layout.areas.iter().map(|area| LayoutAreaDto {
        id: area.id.to_string(),
        name: area.name.clone(),
        places: u32::try_from(area.places().len()).unwrap_or(u32::MAX),
    });
    LayoutDto { line: line(stored), places: stored.layout.place_count(), areas: areas.collect(), findings: None }
}

fn plan(stored: &StoredLayout) -> PlanDto {
    let areas = stored.layout.areas.iter().map(|area| PlanAreaDto {
        places: area.place_count(),
        capacity: (!area.is_seated()).then(|| area.place_count()),
        area: map_area(area),
    });
    PlanDto {
        line: line(stored),
        places: stored.layout.place_count(),
        flags_version: stored.layout.flags_version,
        areas: areas.collect(),
    }
}

fn draft(web: &Web, at: usize, area: AreaBody) -> Result<AreaDraft, Refusal> {
    let id = fresh(&*web.platform.environment);
    match (area.rows, area.capacity) {
        (Some(rows), None) => Ok(AreaDraft::seated(id, area.name, rows.into_iter().map(row).collect())),
        (None, Some(capacity)) => {
            let category = area.category.unwrap_or_else(|| area.name.clone());
            Ok(AreaDraft::general(id, area.name, capacity, category))
        }
        _ => Err(Refusal::new(Code::InvalidLayout, "Give either `rows` or a `capacity`.")
            .with(|evidence| evidence.field = Some(format!("areas[{at}]")))),
    }
}

fn row(body: RowBody) -> RowDraft {
    let seats = body.seats.into_iter().map(|seat| Seat {
        label: seat.label,
        x: seat.x,
        y: seat.y,
        category: seat.category,
        flags: seat.flags,
    });
    RowDraft { label: body.label, seat_label: body.seat_label, ..RowDraft::new(body.name, seats.collect()) }
}

/// Adds the next version of a venue's seating plan.
#[utoipa::path(post, path = "/api/v1/layouts", request_body = LayoutBody, tag = "catalog",
    responses((status = 201, body = LayoutDto), (status = 400, body = Problem, description = "invalid_layout"), (status = 404, body = Problem)))]
pub async fn create(
    State(web): State<Web>,
    caller: Organizer,
    key: OptionalKey,
    body: Body<LayoutBody>,
) -> Answer<Response> {
    caller.may(Scope::Catalog)?;
    let areas = body.value.areas.into_iter().enumerate();
    let areas = areas.map(|(at, area)| draft(&web, at, area)).collect::<Result<Vec<_>, _>>()?;
    let show = |stored: &StoredLayout| json(&render(stored));
    let key = key.of(&caller.actor, body.digest);
    let repeat = idempotent(key.clone(), &show);
    let command = create_layout(&web.platform, caller.organization, body.value.venue, areas, repeat);
    let outcome = caller.act(&web, "layout.create", body.value.venue, command).await;
    let outcome = or_replayed(&web, caller.organization, key.as_ref(), outcome).await?;
    Ok(created(outcome, show))
}

/// What is imported.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImportParams {
    #[param(value_type = String)]
    venue: VenueId,
    /// `pretix` (its seating-plan JSON) or `csv` (columns `area,row,seat,category` and optionally `x,y,flags,row_label,seat_label,capacity`).
    /// Where absent, the content tells.
    format: Option<String>,
}

/// Imports a seating plan: the file itself, or a form with exactly one file. The answer says what of the file was left out, assumed or changed; a refusal names everything that is wrong.
#[utoipa::path(post, path = "/api/v1/layouts/import", params(ImportParams), tag = "catalog",
    request_body(content((String = "text/csv"), (String = "application/json"))),
    responses((status = 201, body = LayoutDto), (status = 400, body = Problem, description = "invalid_layout"), (status = 404, body = Problem)))]
pub async fn import(
    State(web): State<Web>,
    caller: Organizer,
    key: OptionalKey,
    Params(params): Params<ImportParams>,
    request: Request,
) -> Answer<Response> {
    caller.may(Scope::Catalog)?;
    let format = params.format.as_deref().map(ImportFormat::named).transpose()?;
    let asked = Asked::of(&request);
    let content_type =
        request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).map(str::to_owned);
    let body = crate::extract::bytes(request, &web).await?;
    let file = only_file(content_type.as_deref(), &body)?;
    // The boundary of a form is another one in each repeat.
    let key = key.of(&caller.actor, asked.digest(file));
    let Imported { areas, findings } =
        read_plan(format.unwrap_or_else(|| ImportFormat::of(file)), file, || fresh(&*web.platform.environment))?;
    let findings: Vec<FindingDto> = findings.into_iter().map(FindingDto::from).collect();
    let show = |stored: &StoredLayout| json(&LayoutDto { findings: Some(findings.clone()), ..render(stored) });
    let repeat = idempotent(key.clone(), &show);
    let command = create_layout(&web.platform, caller.organization, params.venue, areas, repeat);
    let outcome = caller.act(&web, "layout.import", params.venue, command).await;
    let outcome = outcome.map_err(|error| match error {
        Error::Refused(refusal) => Error::Refused(as_finding(refusal)),
        fault => fault,
    });
    let outcome = or_replayed(&web, caller.organization, key.as_ref(), outcome).await?;
    Ok(created(outcome, show))
}

/// A seating plan with all of its seats.
#[utoipa::path(get, path = "/api/v1/layouts/{layout}", params(("layout" = String, Path)), tag = "catalog",
    responses((status = 200, body = PlanDto), (status = 404, body = Problem)))]
pub async fn show(
    State(web): State<Web>,
    caller: Organizer,
    PathId(layout): PathId<LayoutId>,
    headers: HeaderMap,
) -> Answer<Response> {
    caller.may(Scope::Catalog)?;
    let found = web.platform.catalog.read_layout(caller.organization, layout).await?;
    let stored = found.ok_or_else(Refusal::not_found)?;
    let version = format!("plan {layout} {}", stored.layout.flags_version);
    let render = move || Precompressed::new(json(&plan(&stored)), "application/json");
    Ok(web.maps.get(&version, render).await?.answer(&headers))
}

/// Which seats get which flags.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FlagsBody {
    /// The seats by their numbers.
    #[serde(default)]
    places: Vec<u32>,
    /// Seats by what their tickets say, e.g. `Balcony · Row C · Seat 12`.
    #[serde(default)]
    labels: Vec<String>,
    /// All flags that each of these seats has from now on: `accessible`, `companion`, `restricted_view`.
    #[schema(value_type = Vec<String>)]
    flags: Vec<SeatFlag>,
}

/// Sets the flags of seats, also where events sell them already; what is held or sold stays so.
#[utoipa::path(patch, path = "/api/v1/layouts/{layout}/flags", params(("layout" = String, Path)), request_body = FlagsBody, tag = "catalog",
    responses((status = 200, body = PlanDto), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn set_flags(
    State(web): State<Web>,
    caller: Organizer,
    PathId(layout): PathId<LayoutId>,
    body: Body<FlagsBody>,
) -> Answer<Json<PlanDto>> {
    caller.may(Scope::Catalog)?;
    let FlagsBody { places, labels, flags } = body.value;
    let places = places.into_iter().map(PlaceNumber).collect();
    let command = SetLayoutFlags { layout, places, labels, flags };
    let command = set_layout_flags(&web.platform, caller.organization, command);
    let stored = caller.act(&web, "layout.flags", layout, command).await?;
    Ok(Json(plan(&stored)))
}

/// The seating plans, oldest first.
#[utoipa::path(get, path = "/api/v1/layouts", params(ListParams), tag = "catalog",
    responses((status = 200, body = ListDto<LayoutLineDto>), (status = 403, body = Problem)))]
pub async fn list(
    State(web): State<Web>,
    caller: Organizer,
    Params(params): Params<ListParams>,
) -> Answer<Json<ListDto<LayoutLineDto>>> {
    caller.may(Scope::Catalog)?;
    let found = web.platform.catalog.layouts(caller.organization, params.page()?).await?;
    Ok(Json(ListDto::of(found, |stored| line(&stored))))
}
