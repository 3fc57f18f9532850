//! From the cells of a line to a seat or a standing area.

use std::collections::{BTreeMap, BTreeSet};

use super::super::finding::{FindingKind, Findings};
use super::super::marks::Meaning;
use super::super::number::number;
use super::super::rows::RowWords;
use super::super::{coordinate_fault, marks};
use super::columns::{Column, Columns};
use super::{Line, is_blank};
use crate::catalog::layout::{
    AREA_NAME_MAX, CATEGORY_MAX, MAX_PLACES, ROW_NAME_MAX, SEAT_LABEL_MAX, Seat, SeatFlag, WORDS_MAX,
};

/// The areas so far, in the order of their first line.
#[derive(Default)]
pub(super) struct Areas {
    pub list: Vec<AreaRead>,
    by_name: BTreeMap<String, usize>,
    taken: BTreeSet<(usize, usize, String)>,
}

#[derive(Default)]
pub(super) struct AreaRead {
    pub name: String,
    pub rows: Vec<RowRead>,
    by_name: BTreeMap<String, usize>,
    /// Capacity and category of a standing area.
    pub standing: Option<(u32, String)>,
}

pub(super) struct RowRead {
    pub words: RowWords,
    /// The line of its first seat.
    pub line: u64,
    pub seats: Vec<Seat>,
    /// The lines of its seats without a position.
    pub unplaced: Vec<u64>,
}

impl Areas {
    /// Reads a line; what is wrong is noted, and the line passed over.
    pub fn read_line(&mut self, line: &Line<'_>, columns: &Columns, findings: &mut Findings) {
        let text = |column: Column| line.text(columns.of(column));
        let area = findings.worded(|| line.at("area"), text(Column::Area), AREA_NAME_MAX);
        let seatless = is_blank(text(Column::Row)) && is_blank(text(Column::Seat));
        if !is_blank(text(Column::Capacity)) && seatless {
            return self.read_standing(line, columns, area, findings);
        }
        if !is_blank(text(Column::Capacity)) {
            if number(text(Column::Capacity)) != Some((1.0, false)) {
                let fault =
                    "the line names a row or a seat, and a capacity: give a seat, or a capacity without row and seat";
                return findings.wrong(line.at("capacity"), fault);
            }
            findings.each(|| line.at("capacity"), FindingKind::LeftOut, "the capacity of a single seat, 1");
        }
        let row = findings.worded(|| line.at("row"), text(Column::Row), ROW_NAME_MAX);
        let label = findings.worded(|| line.at("seat"), text(Column::Seat), SEAT_LABEL_MAX);
        let position = position(line, columns, findings);
        let category = findings.worded(|| line.at("category"), text(Column::Category), CATEGORY_MAX);
        let flags = flags(line, columns, findings);
        let row_label = optional(line, columns, Column::RowLabel, findings);
        let seat_label = optional(line, columns, Column::SeatLabel, findings);
        let (Some(area), Some(row), Some(label), Some(position), Some(category)) =
            (area, row, label, position, category)
        else {
            return;
        };
        let (x, y) = position.unwrap_or_default();
        let mut seat = Seat { label, x, y, category, flags };
        let names = [seat.category.clone(), seat.label.clone()];
        marks::by_names(|| line.at("category"), &mut seat, &[&names[0], &names[1], &row, &area], findings);
        let area_at = self.area_at(area);
        let rows = &mut self.list[area_at];
        let row_at = *rows.by_name.entry(row.clone()).or_insert_with(|| {
            let words = RowWords { name: row.clone(), label: row_label, seat_label };
            rows.rows.push(RowRead { words, line: line.number, seats: Vec::new(), unplaced: Vec::new() });
            rows.rows.len() - 1
        });
        if !self.taken.insert((area_at, row_at, seat.label.clone())) {
            let fault = format!("row `{row}` of this area has another seat `{}`", seat.label);
            return findings.wrong(line.at("seat"), fault);
        }
        let row = &mut rows.rows[row_at];
        row.seats.push(seat);
        if position.is_none() {
            row.unplaced.push(line.number);
        }
    }

    fn area_at(&mut self, name: String) -> usize {
        *self.by_name.entry(crate::text::folded(&name)).or_insert_with(|| {
            self.list.push(AreaRead { name, ..AreaRead::default() });
            self.list.len() - 1
        })
    }

    fn read_standing(&mut self, line: &Line<'_>, columns: &Columns, area: Option<String>, findings: &mut Findings) {
        let text = line.text(columns.of(Column::Capacity));
        let whole = number(text).map(|(value, _)| value).filter(|value| value.fract() == 0.0);
        let capacity = whole.filter(|value| (1.0..=MAX_PLACES as f32).contains(value)).map(|value| value as u32);
        let Some(capacity) = capacity else {
            return findings.wrong(line.at("capacity"), format!("must be a whole number from 1 to {MAX_PLACES}"));
        };
        let Some(area) = area else { return };
        let category = line.text(columns.of(Column::Category));
        let category = if is_blank(category) { area.chars().take(CATEGORY_MAX).collect() } else { category.to_owned() };
        let Some(category) = findings.worded(|| line.at("category"), &category, CATEGORY_MAX) else { return };
        let at = self.area_at(area);
        if self.list[at].standing.replace((capacity, category)).is_some() {
            findings.wrong(line.at("area"), "this area has a capacity already");
        }
    }
}

/// The position; inner none where the line has none.
fn position(line: &Line<'_>, columns: &Columns, findings: &mut Findings) -> Option<Option<(f32, f32)>> {
    let (x, y) = (line.text(columns.of(Column::X)), line.text(columns.of(Column::Y)));
    if is_blank(x) && is_blank(y) {
        return Some(None);
    }
    let mut coordinate = |name: &str, text: &str| match number(text) {
        None => {
            findings.wrong(line.at(name), format!("`{}` is not a number", text.chars().take(60).collect::<String>()));
            None
        }
        Some((value, comma)) => {
            if comma {
                findings.each(|| line.at(name), FindingKind::Assumed, "a decimal comma");
            }
            match coordinate_fault(value) {
                Some(fault) => {
                    findings.wrong(line.at(name), fault);
                    None
                }
                None => Some(value),
            }
        }
    };
    let (x, y) = (coordinate("x", x), coordinate("y", y));
    Some(Some((x?, y?)))
}

fn optional(line: &Line<'_>, columns: &Columns, column: Column, findings: &mut Findings) -> Option<String> {
    let text = line.text(columns.of(column));
    if is_blank(text) { None } else { findings.worded(|| line.at(column.name()), text, WORDS_MAX) }
}

fn flags(line: &Line<'_>, columns: &Columns, findings: &mut Findings) -> Vec<SeatFlag> {
    let text = line.text(columns.of(Column::Flags));
    let mut flags = Vec::new();
    let mut exclusive = true;
    for part in text.split([';', '|', ',']).map(str::trim).filter(|part| !is_blank(part)) {
        for word in words_of(part) {
            match (marks::flag(word), marks::meaning(word)) {
                (Some(flag), _) => exclusive &= marks::add(&mut flags, flag),
                (None, Some(Meaning::Denies(flag))) => {
                    findings.each(|| line.at("flags"), FindingKind::Assumed, &marks::denied(flag, word));
                }
                (None, _) => {
                    let known: Vec<&str> = SeatFlag::ALL.iter().map(|flag| flag.as_str()).collect();
                    findings.wrong(line.at("flags"), format!("`{word}` is not one of {}", known.join(", ")));
                }
            }
        }
    }
    for (at, name, flag) in &columns.marks {
        let text = line.text(Some(*at));
        let denies = marks::meaning(text) == Some(Meaning::Denies(*flag));
        if denies {
            findings.each(|| line.at(name), FindingKind::Assumed, &marks::denied(*flag, text));
        }
        let said = || (marks::flag(text) == Some(*flag)).then_some(true);
        match marks::truth(text).or_else(said).or(denies.then_some(false)) {
            Some(true) => exclusive &= marks::add(&mut flags, *flag),
            Some(false) => {}
            None => findings
                .wrong(line.at(name), format!("`{}` is neither yes nor no", text.chars().take(60).collect::<String>())),
        }
    }
    if !exclusive {
        findings.wrong(line.at("flags"), "a seat is accessible or companion, not both");
    }
    flags
}

/// The words for marks in a part of a cell: the whole where it is known or denies a mark, else what slashes part, else what blanks part.
fn words_of(part: &str) -> Vec<&str> {
    let is_known = |text: &str| marks::flag(text).is_some() || matches!(marks::meaning(text), Some(Meaning::Denies(_)));
    if is_known(part) {
        return vec![part];
    }
    let slashed = part.split('/').map(str::trim).filter(|piece| !is_blank(piece));
    slashed.flat_map(|piece| if is_known(piece) { vec![piece] } else { piece.split_whitespace().collect() }).collect()
}
