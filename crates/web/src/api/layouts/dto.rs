//! Defines the JSON of seating plans, parses their areas and renders them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voelgoed_app::catalog::ports::StoredLayout;
use voelgoed_domain::catalog::layout::{AreaDraft, RowDraft, Seat, SeatFlag};
use voelgoed_domain::ids::{AreaId, LayoutId, VenueId};
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::time::Timestamp;

use crate::api::events::map::{MapAreaDto, map_area};
use crate::problem::FindingDto;

/// A seating plan to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LayoutBody {
    #[schema(value_type = String)]
    pub venue: VenueId,
    pub areas: Vec<AreaBody>,
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

/// A version of a seating plan in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct LayoutLineDto {
    #[schema(value_type = String)]
    id: LayoutId,
    #[schema(value_type = String)]
    venue: VenueId,
    /// 1, 2, … within the venue; 0 in the answer that creates it, where the number is not known yet.
    version: u32,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// A version of a seating plan.
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

/// A seating plan with all of its seats.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanDto {
    #[serde(flatten)]
    line: LayoutLineDto,
    places: u32,
    /// How often flags of its seats were set.
    flags_version: u32,
    areas: Vec<PlanAreaDto>,
}

/// An area of a plan with all of its seats: with `rows` where it is seated, with `first`, `count` and `category` where not.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanAreaDto {
    #[serde(flatten)]
    area: MapAreaDto,
    places: u32,
    /// How many people, where the area has no seats.
    #[serde(skip_serializing_if = "Option::is_none")]
    capacity: Option<u32>,
}

/// An area of a plan.
#[derive(Debug, Serialize, ToSchema)]
pub struct LayoutAreaDto {
    id: String,
    name: String,
    places: u32,
}

impl LayoutDto {
    pub fn with_findings(self, findings: Vec<FindingDto>) -> Self {
        Self { findings: Some(findings), ..self }
    }
}

/// Renders a version for lists.
pub fn line(stored: &StoredLayout) -> LayoutLineDto {
    LayoutLineDto { id: stored.id, venue: stored.venue, version: stored.version, created_at: stored.created_at }
}

/// Renders a version without its seats.
pub fn layout(stored: &StoredLayout) -> LayoutDto {
    let areas = stored.layout.areas.iter().map(|area| LayoutAreaDto {
        id: area.id.to_string(),
        name: area.name.clone(),
        places: u32::try_from(area.places().len()).unwrap_or(u32::MAX),
    });
    LayoutDto { line: line(stored), places: stored.layout.place_count(), areas: areas.collect(), findings: None }
}

/// Renders a version with its seats.
pub fn plan(stored: &StoredLayout) -> PlanDto {
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

/// Parses the area at an index of `areas`.
///
/// # Errors
/// `invalid_layout`.
pub fn parse_area(id: AreaId, at: usize, area: AreaBody) -> Result<AreaDraft, Refusal> {
    match (area.rows, area.capacity) {
        (Some(rows), None) => Ok(AreaDraft::seated(id, area.name, rows.into_iter().map(parse_row).collect())),
        (None, Some(capacity)) => {
            let category = area.category.unwrap_or_else(|| area.name.clone());
            Ok(AreaDraft::general(id, area.name, capacity, category))
        }
        _ => Err(Refusal::new(Code::InvalidLayout, "Give either `rows` or a `capacity`.")
            .with(|evidence| evidence.field = Some(format!("areas[{at}]")))),
    }
}

fn parse_row(body: RowBody) -> RowDraft {
    let seats = body.seats.into_iter().map(|seat| Seat {
        label: seat.label,
        x: seat.x,
        y: seat.y,
        category: seat.category,
        flags: seat.flags,
    });
    RowDraft { label: body.label, seat_label: body.seat_label, ..RowDraft::new(body.name, seats.collect()) }
}

/// Flags and the seats that get them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FlagsBody {
    /// The seats by their numbers.
    #[serde(default)]
    pub places: Vec<u32>,
    /// Seats by the text on their tickets, e.g. `Balcony · Row C · Seat 12`.
    #[serde(default)]
    pub labels: Vec<String>,
    /// All flags that each of these seats has from now on: `accessible`, `companion`, `restricted_view`.
    #[schema(value_type = Vec<String>)]
    pub flags: Vec<SeatFlag>,
}
