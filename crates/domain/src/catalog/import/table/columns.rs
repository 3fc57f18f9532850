//! Which column of a table is where: by the names in its header, in any order, any case, with blanks.

use std::collections::BTreeMap;

use super::super::finding::{FindingKind, Findings};
use super::super::marks;
use super::{Line, is_blank};
use crate::catalog::layout::SeatFlag;

/// A column that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    Area,
    Row,
    Seat,
    X,
    Y,
    Category,
    Flags,
    Capacity,
    RowLabel,
    SeatLabel,
}

impl Column {
    const ALL: &'static [Self] = &[
        Self::Area,
        Self::Row,
        Self::Seat,
        Self::X,
        Self::Y,
        Self::Category,
        Self::Flags,
        Self::Capacity,
        Self::RowLabel,
        Self::SeatLabel,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Area => "area",
            Self::Row => "row",
            Self::Seat => "seat",
            Self::X => "x",
            Self::Y => "y",
            Self::Category => "category",
            Self::Flags => "flags",
            Self::Capacity => "capacity",
            Self::RowLabel => "row_label",
            Self::SeatLabel => "seat_label",
        }
    }

    fn named(text: &str) -> Option<Self> {
        let name = marks::normalised(text);
        Self::ALL.iter().copied().find(|column| column.name() == name)
    }
}

/// The columns of a table.
pub(super) struct Columns {
    known: BTreeMap<Column, usize>,
    /// Columns of their own for a mark, e.g. `wheelchair` with `yes`.
    pub marks: Vec<(usize, String, SeatFlag)>,
    /// Columns without a name, by whether any line has something there.
    unnamed: BTreeMap<usize, bool>,
    header: u64,
    width: usize,
}

impl Columns {
    /// None where the header cannot be used.
    pub fn read(line: &Line<'_>, findings: &mut Findings) -> Option<Self> {
        let mut columns = Self {
            known: BTreeMap::new(),
            marks: Vec::new(),
            unnamed: BTreeMap::new(),
            header: line.number,
            width: line.record.len(),
        };
        let mut unread: Vec<String> = Vec::new();
        let mut twice = false;
        for (at, cell) in line.record.iter().enumerate() {
            if is_blank(cell) {
                columns.unnamed.insert(at, false);
            } else if let Some(column) = Column::named(cell) {
                if columns.known.insert(column, at).is_some() {
                    findings.wrong(line.at(column.name()), "this column is there twice");
                    twice = true;
                }
            } else if let Some(flag) = marks::flag(cell) {
                columns.marks.push((at, marks::normalised(cell), flag));
            } else {
                unread.push(cell.chars().take(60).collect());
            }
        }
        let has = |column: Column| columns.known.contains_key(&column);
        let (standing, positions) = (has(Column::Capacity), has(Column::X) || has(Column::Y));
        let required = |column: &Column| match column {
            Column::Area => true,
            Column::Row | Column::Seat | Column::Category => !standing,
            Column::X | Column::Y => positions,
            _ => false,
        };
        let missing: Vec<Column> =
            Column::ALL.iter().copied().filter(|column| required(column) && !has(*column)).collect();
        for column in &missing {
            findings.wrong(line.at(column.name()), "this column is missing");
        }
        for name in &unread {
            findings.add(line.at(name), FindingKind::LeftOut, "this column is not read");
        }
        (missing.is_empty() && !twice).then_some(columns)
    }

    pub fn of(&self, column: Column) -> Option<usize> {
        self.known.get(&column).copied()
    }

    /// Notes what stands where the header has no name.
    pub fn note_extra(&mut self, line: &Line<'_>, findings: &mut Findings) {
        for (at, used) in &mut self.unnamed {
            *used |= !is_blank(line.text(Some(*at)));
        }
        if line.record.iter().skip(self.width).any(|cell| !is_blank(cell)) {
            let fault = format!("{} fields where the header has {}", line.record.len(), self.width);
            findings.wrong(format!("line {}", line.number), fault);
        }
    }

    pub fn tell_unread(&self, findings: &mut Findings) {
        for (at, used) in &self.unnamed {
            let detail = if *used { "a column without a name is not read" } else { "an empty column" };
            findings.add(format!("line {}, column {}", self.header, at + 1), FindingKind::LeftOut, detail);
        }
    }
}

/// The byte between columns: what the file names, else what gives the most known names in the first line that says anything.
pub(super) fn delimiter(named: Option<u8>, content: &str) -> u8 {
    let header = content.split(['\r', '\n']).find(|line| !is_blank(line)).unwrap_or_default();
    let known = |delimiter: u8| {
        let cells = header.split(char::from(delimiter)).map(|cell| cell.trim().trim_matches('"'));
        cells.filter(|cell| Column::named(cell).is_some()).count()
    };
    if let Some(named) = named.filter(|named| known(*named) > 0) {
        return named;
    }
    // Of equals the first.
    let best = [b',', b';', b'\t', b'|'].into_iter().rev().max_by_key(|delimiter| known(*delimiter));
    best.unwrap_or(b',')
}
