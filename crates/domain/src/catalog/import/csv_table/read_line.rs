//! Reads one line of a table into a seat or a standing area, and reports every fault in its cells.

use std::collections::{BTreeMap, BTreeSet};

use super::super::finding::FindingKind;
use super::super::findings::Findings;
use super::super::localized_number::parse_number;
use super::super::order_row::RowLabels;
use super::super::seat_flags::Meaning;
use super::super::{coordinate_fault, seat_flags};
use super::column_names::Column;
use super::columns::Columns;
use super::{Line, is_blank};
use crate::catalog::layout::{
    AREA_NAME_CHARS_MAX, CATEGORY_CHARS_MAX, PLACES_MAX, ROW_NAME_CHARS_MAX, SEAT_LABEL_CHARS_MAX, Seat, SeatFlag,
    TICKET_LABEL_CHARS_MAX,
};

/// The areas so far, in the order of the first line of each.
#[derive(Default)]
pub(super) struct Areas {
    pub list: Vec<ParsedArea>,
    by_name: BTreeMap<String, usize>,
    taken: BTreeSet<(usize, usize, String)>,
}

#[derive(Default)]
pub(super) struct ParsedArea {
    pub name: String,
    pub rows: Vec<ParsedRow>,
    by_name: BTreeMap<String, usize>,
    /// Capacity and category of a standing area.
    pub standing: Option<(u32, String)>,
}

pub(super) struct ParsedRow {
    pub labels: RowLabels,
    /// The line of its first seat.
    pub line: u64,
    pub seats: Vec<Seat>,
    /// The lines of its seats without a position.
    pub lines_without_position: Vec<u64>,
}

impl Areas {
    /// Reads a line; a line with a fault is reported and skipped.
    pub fn read_line(&mut self, line: &Line<'_>, columns: &Columns, findings: &mut Findings) {
        let text = |column: Column| line.text(columns.of(column));
        let area = findings.checked_text(|| line.at("area"), text(Column::Area), AREA_NAME_CHARS_MAX);
        let seatless = is_blank(text(Column::Row)) && is_blank(text(Column::Seat));
        if !is_blank(text(Column::Capacity)) && seatless {
            return self.read_standing(line, columns, area, findings);
        }
        if !is_blank(text(Column::Capacity)) {
            if parse_number(text(Column::Capacity)) != Some((1.0, false)) {
                let fault =
                    "the line names a row or a seat, and a capacity: give a seat, or a capacity without row and seat";
                return findings.wrong(line.at("capacity"), fault);
            }
            findings.add_merged(|| line.at("capacity"), FindingKind::LeftOut, "the capacity of a single seat, 1");
        }
        let row = findings.checked_text(|| line.at("row"), text(Column::Row), ROW_NAME_CHARS_MAX);
        let label = findings.checked_text(|| line.at("seat"), text(Column::Seat), SEAT_LABEL_CHARS_MAX);
        let position = position(line, columns, findings);
        let category = findings.checked_text(|| line.at("category"), text(Column::Category), CATEGORY_CHARS_MAX);
        let flags = flags(line, columns, findings);
        let row_label = optional_text(line, columns, Column::RowLabel, findings);
        let seat_label = optional_text(line, columns, Column::SeatLabel, findings);
        let (Some(area), Some(row), Some(label), Some(position), Some(category)) =
            (area, row, label, position, category)
        else {
            return;
        };
        let (x, y) = position.unwrap_or_default();
        let mut seat = Seat { label, x, y, category, flags };
        let names = [seat.category.clone(), seat.label.clone()];
        seat_flags::infer_from_names(|| line.at("category"), &mut seat, &[&names[0], &names[1], &row, &area], findings);
        let area_at = self.area_at(area);
        let rows = &mut self.list[area_at];
        let row_at = *rows.by_name.entry(row.clone()).or_insert_with(|| {
            let labels = RowLabels { name: row.clone(), label: row_label, seat_label };
            rows.rows.push(ParsedRow {
                labels,
                line: line.number,
                seats: Vec::new(),
                lines_without_position: Vec::new(),
            });
            rows.rows.len() - 1
        });
        if !self.taken.insert((area_at, row_at, seat.label.clone())) {
            let fault = format!("row `{row}` of this area has another seat `{}`", seat.label);
            return findings.wrong(line.at("seat"), fault);
        }
        let row = &mut rows.rows[row_at];
        row.seats.push(seat);
        if position.is_none() {
            row.lines_without_position.push(line.number);
        }
    }

    fn area_at(&mut self, name: String) -> usize {
        *self.by_name.entry(crate::text::folded(&name)).or_insert_with(|| {
            self.list.push(ParsedArea { name, ..ParsedArea::default() });
            self.list.len() - 1
        })
    }

    fn read_standing(&mut self, line: &Line<'_>, columns: &Columns, area: Option<String>, findings: &mut Findings) {
        let text = line.text(columns.of(Column::Capacity));
        let whole = parse_number(text).map(|(value, _)| value).filter(|value| value.fract() == 0.0);
        let capacity = whole.filter(|value| (1.0..=PLACES_MAX as f32).contains(value)).map(|value| value as u32);
        let Some(capacity) = capacity else {
            return findings.wrong(line.at("capacity"), format!("must be a whole number from 1 to {PLACES_MAX}"));
        };
        let Some(area) = area else { return };
        let category = line.text(columns.of(Column::Category));
        let category =
            if is_blank(category) { area.chars().take(CATEGORY_CHARS_MAX).collect() } else { category.to_owned() };
        let Some(category) = findings.checked_text(|| line.at("category"), &category, CATEGORY_CHARS_MAX) else {
            return;
        };
        let at = self.area_at(area);
        if self.list[at].standing.replace((capacity, category)).is_some() {
            findings.wrong(line.at("area"), "this area has a capacity already");
        }
    }
}

/// The position; `Some(None)` where the cells are blank, `None` for a fault.
fn position(line: &Line<'_>, columns: &Columns, findings: &mut Findings) -> Option<Option<(f32, f32)>> {
    let (x, y) = (line.text(columns.of(Column::X)), line.text(columns.of(Column::Y)));
    if is_blank(x) && is_blank(y) {
        return Some(None);
    }
    let mut coordinate = |name: &str, text: &str| match parse_number(text) {
        None => {
            findings.wrong(line.at(name), format!("`{}` is not a number", text.chars().take(60).collect::<String>()));
            None
        }
        Some((value, comma)) => {
            if comma {
                findings.add_merged(|| line.at(name), FindingKind::Assumed, "a decimal comma");
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

fn optional_text(line: &Line<'_>, columns: &Columns, column: Column, findings: &mut Findings) -> Option<String> {
    let text = line.text(columns.of(column));
    if is_blank(text) { None } else { findings.checked_text(|| line.at(column.name()), text, TICKET_LABEL_CHARS_MAX) }
}

fn flags(line: &Line<'_>, columns: &Columns, findings: &mut Findings) -> Vec<SeatFlag> {
    let text = line.text(columns.of(Column::Flags));
    let mut flags = Vec::new();
    let mut exclusive = true;
    for part in text.split([';', '|', ',']).map(str::trim).filter(|part| !is_blank(part)) {
        for word in split_flag_words(part) {
            match (seat_flags::flag_of_word(word), seat_flags::meaning_of_name(word)) {
                (Some(flag), _) => exclusive &= seat_flags::add_flag(&mut flags, flag),
                (None, Some(Meaning::Denies(flag))) => {
                    findings.add_merged(
                        || line.at("flags"),
                        FindingKind::Assumed,
                        &seat_flags::denial_detail(flag, word),
                    );
                }
                (None, _) => {
                    let known: Vec<&str> = SeatFlag::ALL.iter().map(|flag| flag.as_str()).collect();
                    findings.wrong(line.at("flags"), format!("`{word}` is not one of {}", known.join(", ")));
                }
            }
        }
    }
    for (at, name, flag) in &columns.flag_columns {
        let text = line.text(Some(*at));
        let denies = seat_flags::meaning_of_name(text) == Some(Meaning::Denies(*flag));
        if denies {
            findings.add_merged(|| line.at(name), FindingKind::Assumed, &seat_flags::denial_detail(*flag, text));
        }
        let by_word = || (seat_flags::flag_of_word(text) == Some(*flag)).then_some(true);
        match seat_flags::parse_bool(text).or_else(by_word).or(denies.then_some(false)) {
            Some(true) => exclusive &= seat_flags::add_flag(&mut flags, *flag),
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

/// Splits a part of a cell into flag words: the whole part where it is known or denies a flag, else its pieces between slashes, else between blanks.
fn split_flag_words(part: &str) -> Vec<&str> {
    let is_known = |text: &str| {
        seat_flags::flag_of_word(text).is_some()
            || matches!(seat_flags::meaning_of_name(text), Some(Meaning::Denies(_)))
    };
    if is_known(part) {
        return vec![part];
    }
    let slashed = part.split('/').map(str::trim).filter(|piece| !is_blank(piece));
    slashed.flat_map(|piece| if is_known(piece) { vec![piece] } else { piece.split_whitespace().collect() }).collect()
}
