//! The seating-plan JSON of pretix: zones → rows → seats. Zones become areas; drawn areas with a capacity become standing areas.
//!
//! Never: two seats of one `seat_guid`, or something passed over without a finding. To read another field: a line in `shapes`, its use here.

use std::collections::BTreeSet;

use self::drawn::standing;
use self::shapes::{Field, Loose, Place, Plan, Row, Seat as SeatShape, Zone};
use super::finding::{FindingKind, Findings};
use super::rows::{RowWords, ordered};
use super::{DEFAULT_CATEGORY, coordinate_fault, marks};
use crate::catalog::layout::{AREA_NAME_MAX, AreaDraft, CATEGORY_MAX, ROW_NAME_MAX, SEAT_LABEL_MAX, Seat, WORDS_MAX};
use crate::ids::AreaId;
use crate::text::folded;

mod blocks;
mod drawn;
mod seat_marks;
mod shapes;

/// A row with all of its seats, before it is ordered and parted.
#[derive(Debug)]
struct RowRead {
    path: String,
    words: RowWords,
    /// Each with whether the file gives it a guid.
    seats: Vec<(Seat, bool)>,
}

/// What is known of the whole file.
struct Reading<'a> {
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
            // A `?` is a field whose name could not be read.
            let path = path.trim_end_matches('?').trim_end_matches('.');
            let place = if path.is_empty() || path == "." { "the file" } else { path };
            findings.wrong(place, error.into_inner().to_string());
            return Vec::new();
        }
    };
    if let Err(error) = deserializer.end() {
        findings.wrong("the file", error.to_string());
    }
    let mut reading = Reading { categories: BTreeSet::new(), guids: BTreeSet::new(), names: BTreeSet::new(), findings };
    reading.note_unread("", "the plan", &plan.extra);
    for (at, category) in plan.categories.unwrap_or_default().into_iter().enumerate() {
        // A category without a name is the default one.
        if let Some(name) = category.name.and_then(Loose::text).filter(|name| !name.trim().is_empty()) {
            let name = reading.findings.worded(|| format!("categories[{at}].name"), &name, CATEGORY_MAX);
            reading.categories.extend(name);
        }
    }
    let Some(zones) = plan.zones else {
        reading.findings.wrong("zones", "is missing");
        return Vec::new();
    };
    let mut areas = Vec::new();
    for (at, zone) in zones.into_iter().enumerate() {
        reading.zone(&format!("zones[{at}]"), at, zone, &mut new_id, &mut areas);
    }
    if areas.is_empty() && !reading.findings.is_refused() {
        reading.findings.wrong("zones", "no zone has seats");
    }
    areas
}

impl Reading<'_> {
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
        self.note_unread(field, "a zone", &zone.extra);
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
            let seat_words = (zone.row_label.and_then(Loose::text), zone.seat_label.and_then(Loose::text));
            let read: Vec<RowRead> = rows
                .into_iter()
                .enumerate()
                .filter_map(|(at, row)| self.row(&format!("{field}.rows[{at}]"), at, row, origin, &seat_words, &name))
                .collect();
            let told_apart = blocks::told_apart(field, read, self.findings);
            let rows = told_apart.into_iter().flat_map(|row| {
                let seats = row.seats.into_iter().map(|(seat, _)| seat).collect();
                ordered(|| row.path.clone(), &row.words, seats, self.findings)
            });
            let rows = rows.collect();
            if let Some(name) = self.area_name(&format!("{field}.name"), &name) {
                areas.push(AreaDraft::seated(new_id(), name, rows));
            }
        } else if let Some(capacity) = capacity {
            if let Some(name) = self.area_name(&format!("{field}.name"), &name) {
                let category = name.chars().take(CATEGORY_MAX).collect::<String>();
                areas.push(AreaDraft::general(new_id(), name, capacity, category));
            }
        } else if drawings.is_empty() {
            self.findings.add(field, FindingKind::LeftOut, format!("zone `{name}` has no seats"));
        }
        for (at, drawing) in drawings.into_iter().enumerate() {
            let field = format!("{field}.areas[{at}]");
            if let Some(area) = standing(&field, drawing, origin, self) {
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
        words: &(Option<String>, Option<String>),
        zone_name: &str,
    ) -> Option<RowRead> {
        let seats = row.seats.unwrap_or_default();
        if seats.is_empty() {
            self.findings.each(|| field.to_owned(), FindingKind::LeftOut, "a row without seats");
            return None;
        }
        let given = row.row_number.and_then(Loose::text).filter(|name| !name.trim().is_empty());
        if given.is_none() {
            let detail = "a row without a number is called by its place in the zone";
            self.findings.each(|| format!("{field}.row_number"), FindingKind::Assumed, detail);
        }
        let number = given.unwrap_or_else(|| (at + 1).to_string());
        let mut worded = |name: &str, text: Option<String>, most| {
            let text = text.filter(|text| !text.trim().is_empty())?;
            self.findings.worded(|| format!("{field}.{name}"), &text, most)
        };
        let name = worded("row_number", Some(number.clone()), ROW_NAME_MAX);
        let label = row.row_label.and_then(Loose::text).or_else(|| words.0.clone());
        let label = worded("row_label", label.map(|label| label.replace("%s", number.trim())), WORDS_MAX);
        let seat_label =
            worded("seat_label", row.seat_label.and_then(Loose::text).or_else(|| words.1.clone()), WORDS_MAX);
        let offset =
            self.position(&format!("{field}.position"), row.position.as_ref(), Some((0.0, 0.0))).unwrap_or_default();
        let origin = (zone.0 + offset.0, zone.1 + offset.1);
        let words = RowWords { name: name.unwrap_or_default(), label, seat_label };
        let mut read = Vec::with_capacity(seats.len());
        for (at, seat) in seats.into_iter().enumerate() {
            let field = format!("{field}.seats[{at}]");
            if let Some((mut seat, guid)) = self.seat(&field, seat, origin, &row.extra) {
                let row_words = words.label.as_ref().unwrap_or(&words.name);
                marks::by_names(|| field.clone(), &mut seat, &[row_words, zone_name], self.findings);
                read.push((seat, guid));
            }
        }
        self.note_unread(field, "a row", &row.extra);
        Some(RowRead { path: field.to_owned(), words, seats: read })
    }

    fn seat(&mut self, field: &str, seat: SeatShape, origin: (f32, f32), row: &[Field]) -> Option<(Seat, bool)> {
        let label = match seat.seat_number.map(Loose::text) {
            Some(Some(label)) => self.findings.worded(|| format!("{field}.seat_number"), &label, SEAT_LABEL_MAX),
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
        for (key, value) in row.iter().filter(|(key, _)| marks::flag(key).is_some()).chain(&seat.extra) {
            for flag in seat_marks::read(field, key, value, self.findings) {
                exclusive &= marks::add(&mut flags, flag);
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
        marks::by_names(|| field.to_owned(), &mut seat, &[&names[0], &names[1]], self.findings);
        Some((seat, guid.is_some()))
    }

    /// The category of that name; the default one where the file gives none.
    fn category(&mut self, field: &str, text: Option<String>) -> Option<String> {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
            let detail = format!("no category is given: `{DEFAULT_CATEGORY}` is assumed");
            self.findings.each(|| field.to_owned(), FindingKind::Assumed, &detail);
            return Some(DEFAULT_CATEGORY.to_owned());
        };
        let category = self.findings.worded(|| field.to_owned(), &text, CATEGORY_MAX)?;
        if !self.categories.contains(&category) {
            self.findings.wrong(field, format!("`{category}` is not one of the categories"));
            return None;
        }
        Some(category)
    }

    /// Offsets of what a thing is in; `usual` where the file gives none.
    fn position(&mut self, field: &str, place: Option<&Place>, usual: Option<(f32, f32)>) -> Option<(f32, f32)> {
        let Some(place) = place else {
            if usual.is_none() {
                self.findings.wrong(field, "is missing");
            }
            return usual;
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

    /// A name for an area that no other area has.
    fn area_name(&mut self, field: &str, name: &str) -> Option<String> {
        let name = self.findings.worded(|| field.to_owned(), name, AREA_NAME_MAX)?;
        if self.names.insert(folded(&name)) {
            return Some(name);
        }
        for number in 2.. {
            let suffix = format!(" ({number})");
            let kept: String = name.chars().take(AREA_NAME_MAX - suffix.len()).collect();
            let other = format!("{kept}{suffix}");
            if self.names.insert(folded(&other)) {
                let detail = format!("another area is called `{name}`: this one is called `{other}`");
                self.findings.add(field, FindingKind::Changed, detail);
                return Some(other);
            }
        }
        None
    }

    fn note_unread(&mut self, field: &str, of: &str, extra: &[Field]) {
        let unread = extra.iter().filter(|(key, _)| of != "a row" || marks::flag(key).is_none());
        for (key, _) in unread {
            let at = if field.is_empty() { key.clone() } else { format!("{field}.{key}") };
            self.findings.each(|| at, FindingKind::LeftOut, &format!("field `{key}` of {of} is not read"));
        }
    }
}
