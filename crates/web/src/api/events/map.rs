//! Serves the seating plan of an event, cacheable by its version.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;
use voelgoed_app::catalog::Catalog;
use voelgoed_domain::catalog::layout::{Area, AreaKind, Layout};
use voelgoed_domain::ids::EventId;

use super::visible;
use crate::etag::{etag_response, matches_etag};
use crate::extract::PathId;
use crate::json_bytes::json;
use crate::precompressed::Precompressed;
use crate::problem::{HandlerResult, Problem};
use crate::routes::{Access, CachePolicy, Route, api};
use crate::state::Web;

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![api(routes!(map), Access::Buyer, Catalog::NAME).of_a_sale().cache(CACHE)]
}

/// Revalidated at each use, since flags of seats may be set while the event is on sale; a client with the version gets 304.
const CACHE: CachePolicy = CachePolicy::PublicRevalidate;

/// A seating plan for drawing.
#[derive(Debug, Serialize, ToSchema)]
pub struct MapDto {
    /// `lay_…`
    layout: String,
    /// The version of this map; a version never changes. Setting flags of seats makes a new one.
    version: String,
    /// The areas, in place order.
    areas: Vec<MapAreaDto>,
}

/// An area of a map: with rows where it is seated, with `first` and `count` where not.
#[derive(Debug, Serialize, ToSchema)]
pub struct MapAreaDto {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<MapRowDto>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<String>,
}

/// A row of a map.
#[derive(Debug, Serialize, ToSchema)]
pub struct MapRowDto {
    name: String,
    /// What tickets say instead of `Row {name}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// What tickets say instead of `Seat {label}`, with `%s` for the label.
    #[serde(skip_serializing_if = "Option::is_none")]
    seat_label: Option<String>,
    seats: Vec<MapSeatDto>,
}

/// A seat of a map.
#[derive(Debug, Serialize, ToSchema)]
pub struct MapSeatDto {
    place: u32,
    label: String,
    x: f32,
    y: f32,
    category: String,
    /// `accessible`, `companion`, `restricted_view`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    flags: Vec<voelgoed_domain::catalog::layout::SeatFlag>,
}

/// Renders the map of a layout.
fn map_of(id: String, version: String, layout: &Layout) -> MapDto {
    MapDto { layout: id, version, areas: layout.areas.iter().map(map_area).collect() }
}

pub(in crate::api) fn map_area(area: &Area) -> MapAreaDto {
    let base = MapAreaDto {
        id: area.id.to_string(),
        name: area.name.clone(),
        rows: None,
        first: None,
        count: None,
        category: None,
    };
    match &area.kind {
        AreaKind::GeneralAdmission { capacity, category } => {
            MapAreaDto { first: Some(area.first.0), count: Some(*capacity), category: Some(category.clone()), ..base }
        }
        AreaKind::Seated { rows } => {
            let mut place = area.first.0;
            let rows = rows.iter().map(|row| MapRowDto {
                name: row.name.clone(),
                label: row.label.clone(),
                seat_label: row.seat_label.clone(),
                seats: row
                    .seats
                    .iter()
                    .map(|seat| {
                        let dto = MapSeatDto {
                            place,
                            label: seat.label.clone(),
                            x: seat.x,
                            y: seat.y,
                            category: seat.category.clone(),
                            flags: seat.flags.clone(),
                        };
                        place += 1;
                        dto
                    })
                    .collect(),
            });
            MapAreaDto { rows: Some(rows.collect()), ..base }
        }
    }
}

/// The pinned seating plan; cacheable by its version, which changes where flags of its seats are set.
#[utoipa::path(get, path = "/api/v1/events/{event}/map", params(("event" = String, Path)), tag = "catalog",
    responses((status = 200, body = MapDto), (status = 304, description = "as before"), (status = 404, body = Problem)))]
pub async fn map(
    State(web): State<Web>,
    PathId(event): PathId<EventId>,
    headers: HeaderMap,
) -> HandlerResult<Response> {
    let (_, listing) = visible(&web, event).await?;
    let version = listing.layout_version();
    let etag = format!("\"{version}\"");
    if matches_etag(&headers, &etag) {
        return Ok(etag_response(&headers, &etag, CACHE.header(), Response::default));
    }
    let (layout, id, name) = (Arc::clone(&listing.layout), listing.event.layout.to_string(), version.clone());
    let render = move || Precompressed::new(json(&map_of(id, name, &layout)), "application/json");
    let map = web.maps.get(&version, render).await?;
    Ok(etag_response(&headers, &etag, CACHE.header(), || map.response(&headers)))
}
