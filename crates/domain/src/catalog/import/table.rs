//! CSV with one seat per line. Areas and rows come in the order of their first seat; a row's seats in the order of their lines.
//!
//! Never: a column read by its position; the header names them. To add a column: a field of [`Columns`], its reading in `read_seat`.

use std::collections::{BTreeMap, BTreeSet};

use csv::{ErrorKind, Position, ReaderBuilder, StringRecord, Trim};

use super::{coordinate_fault, invalid, parted_at_aisles};
use crate::catalog::layout::{
    AREA_NAME_MAX, AreaDraft, CATEGORY_MAX, MAX_PLACES, ROW_NAME_MAX, SEAT_LABEL_MAX, Seat, SeatFlag,
};
use crate::catalog::wording::worded;
use crate::ids::AreaId;
use crate::refusal::Refusal;

const REQUIRED: [&str; 6] = ["area", "row", "seat", "x", "y", "category"];
const FLAGS: &str = "flags";

/// Which column is where.
struct Columns {
    required: [usize; 6],
    flags: Option<usize>,
}

/// One line.
struct Line<'a> {
    number: u64,
    record: &'a StringRecord,
}

impl Line<'_> {
    fn fault(&self, column: &str, fault: &str) -> Refusal {
        invalid(format!("line {}, field `{column}`", self.number), fault)
    }

    fn text(&self, at: usize) -> &str {
        self.record.get(at).unwrap_or_default()
    }

    fn words(&self, column: &str, at: usize, most: usize) -> Result<String, Refusal> {
        worded(column, self.text(at), most).map_err(|refusal| self.fault(column, &refusal.detail))
    }

    fn coordinate(&self, column: &str, at: usize) -> Result<f32, Refusal> {
        let text = self.text(at);
        let value = text.parse().map_err(|_| self.fault(column, &format!("`{text}` is not a number")))?;
        coordinate_fault(value).map_or(Ok(value), |fault| Err(self.fault(column, &fault)))
    }

    fn flags(&self, at: Option<usize>) -> Result<Vec<SeatFlag>, Refusal> {
        let text = at.map_or("", |at| self.text(at));
        let words = text.split([' ', ';', '|']).filter(|word| !word.is_empty());
        let flag = |word: &str| {
            let unknown = || {
                let known: Vec<&str> = SeatFlag::ALL.iter().map(|flag| flag.as_str()).collect();
                self.fault(FLAGS, &format!("`{word}` is not one of {}", known.join(", ")))
            };
            SeatFlag::named(word).ok_or_else(unknown)
        };
        let flags: Vec<SeatFlag> = words.map(flag).collect::<Result<_, _>>()?;
        if flags.contains(&SeatFlag::Accessible) && flags.contains(&SeatFlag::Companion) {
            return Err(self.fault(FLAGS, "a seat is accessible or companion, not both"));
        }
        Ok(flags)
    }
}

/// The areas so far, in the order of their first seat.
#[derive(Default)]
struct Areas {
    list: Vec<Rows>,
    by_name: BTreeMap<String, usize>,
    taken: BTreeSet<(usize, usize, String)>,
}

#[derive(Default)]
struct Rows {
    name: String,
    list: Vec<(String, Vec<Seat>)>,
    by_name: BTreeMap<String, usize>,
}

pub(super) fn read(content: &[u8], mut new_id: impl FnMut() -> AreaId) -> Result<Vec<AreaDraft>, Refusal> {
    let mut reader = ReaderBuilder::new().has_headers(false).trim(Trim::All).from_reader(content);
    let mut record = StringRecord::new();
    if !reader.read_record(&mut record).map_err(|error| unreadable(content, &error))? {
        return Err(invalid("line 1", "the file is empty"));
    }
    let columns = columns(&record)?;
    let mut areas = Areas::default();
    let mut seats = 0;
    while reader.read_record(&mut record).map_err(|error| unreadable(content, &error))? {
        let number = record.position().map_or(0, |position| line_of(content, position));
        seats += 1;
        if seats > MAX_PLACES {
            return Err(invalid(format!("line {number}"), &format!("more than the {MAX_PLACES} seats allowed")));
        }
        read_seat(&Line { number, record: &record }, &columns, &mut areas)?;
    }
    if seats == 0 {
        return Err(invalid("line 2", "there are no seats"));
    }
    let draft = |rows: Rows| {
        let parted = rows.list.into_iter().flat_map(|(name, seats)| parted_at_aisles(&name, seats));
        AreaDraft::seated(new_id(), rows.name, parted.collect())
    };
    Ok(areas.list.into_iter().map(draft).collect())
}

fn read_seat(line: &Line<'_>, columns: &Columns, areas: &mut Areas) -> Result<(), Refusal> {
    let [area, row, seat, x, y, category] = columns.required;
    let area = line.words("area", area, AREA_NAME_MAX)?;
    let row = line.words("row", row, ROW_NAME_MAX)?;
    let label = line.words("seat", seat, SEAT_LABEL_MAX)?;
    let seat = Seat {
        x: line.coordinate("x", x)?,
        y: line.coordinate("y", y)?,
        category: line.words("category", category, CATEGORY_MAX)?,
        flags: line.flags(columns.flags)?,
        label,
    };
    let area_at = *areas.by_name.entry(area.to_lowercase()).or_insert_with(|| {
        areas.list.push(Rows { name: area, ..Rows::default() });
        areas.list.len() - 1
    });
    let rows = &mut areas.list[area_at];
    let row_at = *rows.by_name.entry(row.clone()).or_insert_with(|| {
        rows.list.push((row.clone(), Vec::new()));
        rows.list.len() - 1
    });
    if !areas.taken.insert((area_at, row_at, seat.label.clone())) {
        return Err(line.fault("seat", &format!("row `{row}` of this area has another seat `{}`", seat.label)));
    }
    rows.list[row_at].1.push(seat);
    Ok(())
}

fn columns(header: &StringRecord) -> Result<Columns, Refusal> {
    let names: Vec<String> = header.iter().map(str::to_lowercase).collect();
    for (at, name) in names.iter().enumerate() {
        if name != FLAGS && !REQUIRED.contains(&name.as_str()) {
            let fault = format!("not a known column; expected {} and optionally {FLAGS}", REQUIRED.join(","));
            return Err(invalid(format!("line 1, field `{name}`"), &fault));
        }
        if names[..at].contains(name) {
            return Err(invalid(format!("line 1, field `{name}`"), "this column is there twice"));
        }
    }
    let find = |wanted: &str| names.iter().position(|name| name == wanted);
    let mut required = [0; 6];
    for (place, wanted) in required.iter_mut().zip(REQUIRED) {
        *place = find(wanted).ok_or_else(|| invalid(format!("line 1, field `{wanted}`"), "this column is missing"))?;
    }
    Ok(Columns { required, flags: find(FLAGS) })
}

/// The line that a record begins on: the reader's position is before the empty lines that it passes over.
fn line_of(content: &[u8], position: &Position) -> u64 {
    let from = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let before = content.get(from..).unwrap_or_default().iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + before.filter(|byte| **byte == b'\n').count() as u64
}

fn unreadable(content: &[u8], error: &csv::Error) -> Refusal {
    let line = error.position().map_or(1, |position| line_of(content, position));
    let fault = match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} fields where the header has {expected_len}")
        }
        ErrorKind::Utf8 { .. } => "not written in UTF-8".to_owned(),
        _ => "cannot be read as CSV".to_owned(),
    };
    invalid(format!("line {line}"), &fault)
}
