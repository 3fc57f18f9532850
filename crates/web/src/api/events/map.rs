//! The seating plan that an event pins.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use voelgoed_domain::catalog::layout::{Area, AreaKind, Layout};
use voelgoed_domain::ids::EventId;

use super::visible;
use crate::conditional::{conditional, is_known};
use crate::extract::PathId;
use crate::precompressed::Precompressed;
use crate::problem::{Answer, Problem};
use crate::rendered::json;
use crate::state::Web;

/// A seating plan for drawing.
#[derive(Debug, Serialize, ToSchema)]
pub struct MapDto {
    /// The version; the same one never changes.
    layout: String,
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

/// The map of a layout.
fn map_of(id: String, layout: &Layout) -> MapDto {
    MapDto { layout: id, areas: layout.areas.iter().map(map_area).collect() }
}

fn map_area(area: &Area) -> MapAreaDto {
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

/// The pinned seating plan; immutable, cacheable by its version.
#[utoipa::path(get, path = "/api/v1/events/{event}/map", params(("event" = String, Path)), tag = "catalog",
    responses((status = 200, body = MapDto), (status = 304, description = "as before"), (status = 404, body = Problem)))]
pub async fn map(State(web): State<Web>, PathId(event): PathId<EventId>, headers: HeaderMap) -> Answer<Response> {
    let (_, listing) = visible(&web, event).await?;
    let version = listing.event.layout.to_string();
    let etag = format!("\"{version}\"");
    let caching = "public, max-age=3600";
    if is_known(&headers, &etag) {
        return Ok(conditional(&headers, &etag, caching, Response::default));
    }
    let (layout, name) = (Arc::clone(&listing.layout), version.clone());
    let render = move || Precompressed::new(json(&map_of(name, &layout)), "application/json");
    let map = web.maps.get(&version, render).await?;
    Ok(conditional(&headers, &etag, caching, || map.answer(&headers)))
}
