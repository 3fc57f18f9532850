//! Turns the drawings of a zone into standing areas where they have a capacity, and reports every other drawing as left out.

use super::super::finding::FindingKind;
use super::PlanReader;
use super::json_shapes::{Drawing, Loose};
use crate::catalog::layout::{AreaDraft, CATEGORY_CHARS_MAX, COORDINATE_MAX, OUTLINE_POINTS_MAX, Point};
use crate::ids::AreaId;

/// Other names of the field `capacity`.
const CAPACITY_SYNONYMS: &[&str] = &["max_capacity", "places", "number_of_places", "quantity", "persons", "max_places"];

/// The standing area of a drawing with a capacity, with a nil id that the caller replaces.
pub(super) fn standing_area(
    field: &str,
    drawing: Drawing,
    zone: (f32, f32),
    reader: &mut PlanReader<'_>,
) -> Option<AreaDraft> {
    let given = |value: &Option<Loose>| value.clone().and_then(Loose::text).filter(|text| !text.trim().is_empty());
    let caption = drawing.text.as_ref().map(|caption| caption.0.clone()).filter(|text| !text.trim().is_empty());
    let name = given(&drawing.name).or_else(|| given(&drawing.label)).or(caption);
    let shape = given(&drawing.shape).unwrap_or_else(|| "shape".to_owned());
    let other = drawing.extra.iter().find(|(key, _)| CAPACITY_SYNONYMS.contains(&key.as_str())).map(|(_, value)| value);
    let Some(capacity) = drawing.capacity.as_ref().or(other) else {
        let what = name.map_or_else(|| format!("a {shape} without a caption"), |name| format!("`{name}` ({shape})"));
        let detail = format!(
            "{what} is drawn without seats and without a capacity, so nothing is sold for it; add it as an area with a capacity if people stand there"
        );
        reader.findings.add(field, FindingKind::LeftOut, detail);
        return None;
    };
    let Some(capacity) = capacity.whole() else {
        reader.findings.wrong(format!("{field}.capacity"), "must be a whole number of at least 1");
        return None;
    };
    let name = name.unwrap_or_else(|| {
        let name = "Standing".to_owned();
        reader.findings.add(field, FindingKind::Assumed, format!("a standing area without a name is called `{name}`"));
        name
    });
    let offset = reader.position(&format!("{field}.position"), drawing.position.as_ref(), Some((0.0, 0.0)))?;
    let name = reader.area_name(field, &name)?;
    let category = match given(&drawing.category) {
        Some(category) => reader.category(&format!("{field}.category"), Some(category))?,
        None => name.chars().take(CATEGORY_CHARS_MAX).collect(),
    };
    let outline = outline(&drawing, (zone.0 + offset.0, zone.1 + offset.1));
    let id = AreaId::from_uuid(uuid::Uuid::nil());
    Some(AreaDraft { outline, ..AreaDraft::general(id, name, capacity, category) })
}

/// The corners of a rectangle or polygon without rotation; empty for other shapes.
fn outline(drawing: &Drawing, origin: (f32, f32)) -> Vec<Point> {
    if drawing.rotation.as_ref().and_then(Loose::number).is_some_and(|degrees| degrees != 0.0) {
        return Vec::new();
    }
    let corner = |x: f32, y: f32| Point { x: origin.0 + x, y: origin.1 + y };
    let mut corners = Vec::new();
    if let Some(sides) = &drawing.rectangle
        && let (Some(width), Some(height)) =
            (sides.width.as_ref().and_then(Loose::number), sides.height.as_ref().and_then(Loose::number))
    {
        corners = vec![corner(0.0, 0.0), corner(width, 0.0), corner(width, height), corner(0.0, height)];
    } else if let Some(points) = drawing.polygon.as_ref().and_then(|polygon| polygon.points.as_ref()) {
        let number = |value: &Option<Loose>| value.as_ref().and_then(Loose::number);
        corners = points.iter().filter_map(|at| Some(corner(number(&at.x)?, number(&at.y)?))).collect();
    }
    let fits =
        |point: &Point| [point.x, point.y].iter().all(|value| value.is_finite() && value.abs() <= COORDINATE_MAX);
    if corners.len() <= OUTLINE_POINTS_MAX && corners.iter().all(fits) { corners } else { Vec::new() }
}
