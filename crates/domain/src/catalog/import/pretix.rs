//! Reads the seating-plan JSON of pretix (zones → rows → seats): zones become areas, and drawn areas with a capacity become standing areas.
//!
//! Never: two seats with one `seat_guid`, or a field ignored without a finding. To read another field: a line in `json_shapes`, its use here.

use std::collections::BTreeSet;

use self::json_shapes::{Field, Loose, Place, Plan, Row, Seat as SeatShape, Zone};
use self::standing_areas::standing_area;
use super::finding::FindingKind;
use super::findings::Findings;
use super::order_row::{RowLabels, order_and_split};
use super::{DEFAULT_CATEGORY, coordinate_fault, seat_flags};
use crate::catalog::layout::{
    AREA_NAME_CHARS_MAX, AreaDraft, CATEGORY_CHARS_MAX, ROW_NAME_CHARS_MAX, SEAT_LABEL_CHARS_MAX, Seat,
    TICKET_LABEL_CHARS_MAX,
};
use crate::ids::AreaId;
use crate::text::folded;

mod json_shapes;
mod seat_flag_fields;
mod separate_blocks;
mod standing_areas;

/// A row with all of its seats, before it is ordered and split.
#[derive(Debug)]
struct ParsedRow {
    path: String,
    labels: RowLabels,
    /// Each with whether the file gives a guid for it.
    seats: Vec<(Seat, bool)>,
}

/// State of the reading of one file.
struct PlanReader<'a> {
    categories: BTreeSet<String>,
    guids: BTreeSet<String>,
    names: BTreeSet<String>,
    findings: &'a mut Findings,
}

pub(super) fn read(text: &str, mut new_id: impl FnMut() -> AreaId, findings: &mut Findings) -> Vec<AreaDraft> {
    let deserializer = &mut serde_json::Deserializer::from_str(text);
    let plan: Plan = match serde_path_to_error::deserialize(&mut *deserializer) {
        Ok(plan) => plan,
        Err(error) => {
            let path = error.path().to_string();
            // The path has a `?` for a field whose name could not be read.
            let path = path.trim_end_matches('?').trim_end_matches('.');
            let place = if path.is_empty() || path == "." { "the file" } else { path };
            findings.wrong(place, error.into_inner().to_string());
            return Vec::new();
        }
    };
    if let Err(error) = deserializer.end() {
        findings.wrong("the file", error.to_string());
    }
    let mut reader =
        PlanReader { categories: BTreeSet::new(), guids: BTreeSet::new(), names: BTreeSet::new(), findings };
    reader.report_unread("", "the plan", &plan.extra);
    for (at, category) in plan.categories.unwrap_or_default().into_iter().enumerate() {
        // A category without a name is the default category.
        if let Some(name) = category.name.and_then(Loose::text).filter(|name| !name.trim().is_empty()) {
            let name = reader.findings.checked_text(|| format!("categories[{at}].name"), &name, CATEGORY_CHARS_MAX);
            reader.categories.extend(name);
        }
    }
    let Some(zones) = plan.zones else {
        reader.findings.wrong("zones", "is missing");
        return Vec::new();
    };
    let mut areas = Vec::new();
    for (at, zone) in zones.into_iter().enumerate() {
        reader.zone(&format!("zones[{at}]"), at, zone, &mut new_id, &mut areas);
    }
    if areas.is_empty() && !reader.findings.is_refused() {
        reader.findings.wrong("zones", "no zone has seats");
    }
    areas
}

impl PlanReader<'_> {
    fn zone(
        &mut self,
        field: &str,
        at: usize,
        zone: Zone,
        new_id: &mut impl FnMut() -> AreaId,
        areas: &mut Vec<AreaDraft>,
    ) {
        let origin =
            self.position(&format!("{field}.position"), zone.position.as_ref(), Some((0.0, 0.0))).unwrap_or_default();
        self.report_unread(field, "a zone", &zone.extra);
        let rows = zone.rows.unwrap_or_default();
        let drawings = zone.areas.unwrap_or_default();
        let capacity = zone.capacity.as_ref().and_then(Loose::whole);
        let has_seats = rows.iter().any(|row| row.seats.as_ref().is_some_and(|seats| !seats.is_empty()));
        let given = zone.name.and_then(Loose::text).filter(|name| !name.trim().is_empty());
        let named = given.is_some();
        let name = given.unwrap_or_else(|| format!("Zone {}", at + 1));
        if has_seats {
            if !named {
                self.findings.add(
                    format!("{field}.name"),
                    FindingKind::Assumed,
                    format!("a zone without a name is called `{name}`"),
                );
            }
            let zone_labels = (zone.row_label.and_then(Loose::text), zone.seat_label.and_then(Loose::text));
            let read: Vec<ParsedRow> = rows
                .into_iter()
                .enumerate()
                .filter_map(|(at, row)| self.row(&format!("{field}.rows[{at}]"), at, row, origin, &zone_labels, &name))
                .collect();
            let separated = separate_blocks::separate_blocks(field, read, self.findings);
            let rows = separated.into_iter().flat_map(|row| {
                let seats = row.seats.into_iter().map(|(seat, _)| seat).collect();
                order_and_split(|| row.path.clone(), &row.labels, seats, self.findings)
            });
            let rows = rows.collect();
            if let Some(name) = self.area_name(&format!("{field}.name"), &name) {
                areas.push(AreaDraft::seated(new_id(), name, rows));
            }
        } else if let Some(capacity) = capacity {
            if let Some(name) = self.area_name(&format!("{field}.name"), &name) {
                let category = name.chars().take(CATEGORY_CHARS_MAX).collect::<String>();
                areas.push(AreaDraft::general(new_id(), name, capacity, category));
            }
        } else if drawings.is_empty() {
            self.findings.add(field, FindingKind::LeftOut, format!("zone `{name}` has no seats"));
        }
        for (at, drawing) in drawings.into_iter().enumerate() {
            let field = format!("{field}.areas[{at}]");
            if let Some(area) = standing_area(&field, drawing, origin, self) {
                areas.push(AreaDraft { id: new_id(), ..area });
            }
        }
    }

    fn row(
        &mut self,
        field: &str,
        at: usize,
        row: Row,
        zone: (f32, f32),
        zone_labels: &(Option<String>, Option<String>),
        zone_name: &str,
    ) -> Option<ParsedRow> {
        let seats = row.seats.unwrap_or_default();
        if seats.is_empty() {
            self.findings.add_merged(|| field.to_owned(), FindingKind::LeftOut, "a row without seats");
            return None;
        }
        let given = row.row_number.and_then(Loose::text).filter(|name| !name.trim().is_empty());
        if given.is_none() {
            let detail = "a row without a number is called by its place in the zone";
            self.findings.add_merged(|| format!("{field}.row_number"), FindingKind::Assumed, detail);
        }
        let number = given.unwrap_or_else(|| (at + 1).to_string());
        let mut checked_text = |name: &str, text: Option<String>, max| {
            let text = text.filter(|text| !text.trim().is_empty())?;
            self.findings.checked_text(|| format!("{field}.{name}"), &text, max)
        };
        let name = checked_text("row_number", Some(number.clone()), ROW_NAME_CHARS_MAX);
        let label = row.row_label.and_then(Loose::text).or_else(|| zone_labels.0.clone());
        let label =
            checked_text("row_label", label.map(|label| label.replace("%s", number.trim())), TICKET_LABEL_CHARS_MAX);
        let seat_label = checked_text(
            "seat_label",
            row.seat_label.and_then(Loose::text).or_else(|| zone_labels.1.clone()),
            TICKET_LABEL_CHARS_MAX,
        );
        let offset =
            self.position(&format!("{field}.position"), row.position.as_ref(), Some((0.0, 0.0))).unwrap_or_default();
        let origin = (zone.0 + offset.0, zone.1 + offset.1);
        let labels = RowLabels { name: name.unwrap_or_default(), label, seat_label };
        let mut read = Vec::with_capacity(seats.len());
        for (at, seat) in seats.into_iter().enumerate() {
            let field = format!("{field}.seats[{at}]");
            if let Some((mut seat, guid)) = self.seat(&field, seat, origin, &row.extra) {
                let row_label = labels.label.as_ref().unwrap_or(&labels.name);
                seat_flags::infer_from_names(|| field.clone(), &mut seat, &[row_label, zone_name], self.findings);
                read.push((seat, guid));
            }
        }
        self.report_unread(field, "a row", &row.extra);
        Some(ParsedRow { path: field.to_owned(), labels, seats: read })
    }

    fn seat(&mut self, field: &str, seat: SeatShape, origin: (f32, f32), row: &[Field]) -> Option<(Seat, bool)> {
        let label = match seat.seat_number.map(Loose::text) {
            Some(Some(label)) => {
                self.findings.checked_text(|| format!("{field}.seat_number"), &label, SEAT_LABEL_CHARS_MAX)
            }
            Some(None) => {
                self.findings.wrong(format!("{field}.seat_number"), "must be a text or a whole number");
                None
            }
            None => {
                self.findings.wrong(format!("{field}.seat_number"), "is missing");
                None
            }
        };
        let guid = seat.seat_guid.and_then(Loose::text).filter(|guid| !guid.is_empty());
        if let Some(guid) = &guid
            && !self.guids.insert(guid.clone())
        {
            self.findings.wrong(format!("{field}.seat_guid"), format!("another seat has `{guid}`"));
        }
        let category = self.category(&format!("{field}.category"), seat.category.and_then(Loose::text));
        let offset = self.position(&format!("{field}.position"), seat.position.as_ref(), None);
        let mut flags = Vec::new();
        let mut exclusive = true;
        for (key, value) in row.iter().filter(|(key, _)| seat_flags::flag_of_word(key).is_some()).chain(&seat.extra) {
            for flag in seat_flag_fields::read_flags(field, key, value, self.findings) {
                exclusive &= seat_flags::add_flag(&mut flags, flag);
            }
        }
        if !exclusive {
            self.findings.wrong(field, "a seat is accessible or companion, not both");
        }
        let (x, y) = offset.map(|offset| (origin.0 + offset.0, origin.1 + offset.1))?;
        for (axis, value) in [("x", x), ("y", y)] {
            if let Some(fault) = coordinate_fault(value) {
                self.findings.wrong(format!("{field}.position.{axis}"), fault);
            }
        }
        let mut seat = Seat { label: label?, x, y, category: category?, flags };
        let names = [seat.category.clone(), seat.label.clone()];
        seat_flags::infer_from_names(|| field.to_owned(), &mut seat, &[&names[0], &names[1]], self.findings);
        Some((seat, guid.is_some()))
    }

    /// The category with this name; the default category where the file gives none.
    fn category(&mut self, field: &str, text: Option<String>) -> Option<String> {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
            let detail = format!("no category is given: `{DEFAULT_CATEGORY}` is assumed");
            self.findings.add_merged(|| field.to_owned(), FindingKind::Assumed, &detail);
            return Some(DEFAULT_CATEGORY.to_owned());
        };
        let category = self.findings.checked_text(|| field.to_owned(), &text, CATEGORY_CHARS_MAX)?;
        if !self.categories.contains(&category) {
            self.findings.wrong(field, format!("`{category}` is not one of the categories"));
            return None;
        }
        Some(category)
    }

    /// The position relative to the container; `default` where the file gives none.
    fn position(&mut self, field: &str, place: Option<&Place>, default: Option<(f32, f32)>) -> Option<(f32, f32)> {
        let Some(place) = place else {
            if default.is_none() {
                self.findings.wrong(field, "is missing");
            }
            return default;
        };
        let mut axis = |name: &str, value: Option<&Loose>| match value.and_then(Loose::number) {
            Some(number) => Some(number),
            None => {
                self.findings.wrong(format!("{field}.{name}"), "must be a number");
                None
            }
        };
        let (x, y) = (axis("x", place.x.as_ref()), axis("y", place.y.as_ref()));
        Some((x?, y?))
    }

    /// Makes the name of an area unique by a number.
    fn area_name(&mut self, field: &str, name: &str) -> Option<String> {
        let name = self.findings.checked_text(|| field.to_owned(), name, AREA_NAME_CHARS_MAX)?;
        if self.names.insert(folded(&name)) {
            return Some(name);
        }
        for number in 2.. {
            let suffix = format!(" ({number})");
            let kept: String = name.chars().take(AREA_NAME_CHARS_MAX - suffix.len()).collect();
            let other = format!("{kept}{suffix}");
            if self.names.insert(folded(&other)) {
                let detail = format!("another area is called `{name}`: this one is called `{other}`");
                self.findings.add(field, FindingKind::Changed, detail);
                return Some(other);
            }
        }
        None
    }

    fn report_unread(&mut self, field: &str, of: &str, extra: &[Field]) {
        let unread = extra.iter().filter(|(key, _)| of != "a row" || seat_flags::flag_of_word(key).is_none());
        for (key, _) in unread {
            let at = if field.is_empty() { key.clone() } else { format!("{field}.{key}") };
            self.findings.add_merged(|| at, FindingKind::LeftOut, &format!("field `{key}` of {of} is not read"));
        }
    }
}
