//! Maps the header of a table to columns, in any order and by synonym.

use std::collections::BTreeMap;

use super::super::finding::FindingKind;
use super::super::findings::Findings;
use super::super::seat_flags;
use super::column_names::Column;
use super::{Line, is_blank};
use crate::catalog::layout::SeatFlag;

/// The columns that the cells of a line name, if the line is a header.
#[derive(Default)]
pub(super) struct HeaderCells {
    pub known: BTreeMap<Column, usize>,
    twice: Vec<Column>,
    /// Cells with a synonym of the column name.
    assumed: Vec<(usize, Column)>,
}

impl HeaderCells {
    /// Matches the cells of a line: by column name, else by synonym; synonyms with one meaning are matched first.
    pub fn of(line: &Line<'_>) -> Self {
        let mut cells = Self::default();
        let mut others: Vec<(usize, &'static [Column])> = Vec::new();
        for (at, cell) in line.record.iter().enumerate().filter(|(_, cell)| !is_blank(cell)) {
            if let Some(column) = Column::named(cell) {
                if cells.known.insert(column, at).is_some() {
                    cells.twice.push(column);
                }
            } else if seat_flags::flag_of_word(cell).is_none() {
                others.push((at, Column::with_synonym(cell)));
            }
        }
        others.sort_by_key(|(_, columns)| columns.len());
        for (at, columns) in others {
            if let Some(column) = columns.iter().find(|column| !cells.known.contains_key(column)) {
                cells.known.insert(*column, at);
                cells.assumed.push((at, *column));
            }
        }
        cells.assumed.sort_unstable();
        cells
    }

    /// True where the columns suffice to read the table.
    pub fn is_header(&self) -> bool {
        let has = |column: &Column| self.known.contains_key(column);
        let seated = [Column::Row, Column::Seat, Column::Category].iter().all(has);
        has(&Column::Area) && (seated || has(&Column::Capacity))
    }
}

/// The columns of a table, by index.
pub(super) struct Columns {
    known: BTreeMap<Column, usize>,
    /// Columns for one flag, e.g. `wheelchair` with `yes`: index, name, flag.
    pub flag_columns: Vec<(usize, String, SeatFlag)>,
    /// Columns without a name, with whether any line has a value there.
    unnamed: BTreeMap<usize, bool>,
    header: u64,
    width: usize,
}

impl Columns {
    /// The columns of a header; `None` and findings where the header is not usable.
    pub fn read(line: &Line<'_>, findings: &mut Findings) -> Option<Self> {
        let HeaderCells { known, twice, assumed } = HeaderCells::of(line);
        let (header, width) = (line.number, line.record.len());
        let mut columns = Self { known, flag_columns: Vec::new(), unnamed: BTreeMap::new(), header, width };
        let mut unread: Vec<String> = Vec::new();
        let shown = |cell: &str| cell.chars().take(60).collect::<String>();
        for column in &twice {
            findings.wrong(line.at(column.name()), "this column is in the header twice");
        }
        for (at, cell) in line.record.iter().enumerate() {
            if let Some((_, column)) = assumed.iter().find(|(assumed, _)| *assumed == at) {
                let detail = format!("this column is read as `{}`", column.name());
                findings.add(line.at(&shown(cell)), FindingKind::Assumed, detail);
            } else if is_blank(cell) {
                columns.unnamed.insert(at, false);
            } else if Column::named(cell).is_none() {
                match seat_flags::flag_of_word(cell) {
                    Some(flag) => columns.flag_columns.push((at, seat_flags::normalized(cell), flag)),
                    None => unread.push(shown(cell)),
                }
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
        (missing.is_empty() && twice.is_empty()).then_some(columns)
    }

    pub fn of(&self, column: Column) -> Option<usize> {
        self.known.get(&column).copied()
    }

    /// Reports values beyond the header, and remembers values in columns without a name.
    pub fn check_extra_cells(&mut self, line: &Line<'_>, findings: &mut Findings) {
        for (at, used) in &mut self.unnamed {
            *used |= !is_blank(line.text(Some(*at)));
        }
        if line.record.iter().skip(self.width).any(|cell| !is_blank(cell)) {
            let fault = format!("{} fields where the header has {}", line.record.len(), self.width);
            findings.wrong(format!("line {}", line.number), fault);
        }
    }

    pub fn report_unnamed(&self, findings: &mut Findings) {
        for (at, used) in &self.unnamed {
            let detail = if *used { "a column without a name is not read" } else { "an empty column" };
            findings.add(format!("line {}, column {}", self.header, at + 1), FindingKind::LeftOut, detail);
        }
    }
}
