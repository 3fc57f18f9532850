//! Which column of a table is where: by the names in its header, in any order, any case, with blanks.

use std::collections::BTreeMap;

use super::super::finding::{FindingKind, Findings};
use super::super::marks;
use super::header::HEADER_LINES_MAX;
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

    /// The columns that people call so, the likelier one first.
    fn called(text: &str) -> &'static [Self] {
        let name = marks::normalised(text);
        let name = name.trim_end_matches(['.', '#', ':', '_', 'º', '°']);
        let found = SYNONYMS.iter().find(|(_, names)| names.contains(&name));
        found.map_or(&[], |(columns, _)| *columns)
    }
}

/// Other names of columns, as [`marks::normalised`] writes them.
const SYNONYMS: &[(&[Column], &[&str])] = &[
    (
        &[Column::Area],
        &[
            "area",
            "section",
            "block",
            "sector",
            "area_name",
            "section_name",
            "block_name",
            "bereich",
            "sektor",
            "secteur",
            "bloc",
            "sección",
            "seccion",
            "setor",
            "settore",
            "vak",
            "blok",
        ],
    ),
    (&[Column::Area, Column::Category], &["zone", "zone_name", "zona"]),
    (
        &[Column::Row],
        &[
            "row",
            "row_number",
            "row_no",
            "row_nr",
            "row_name",
            "row_id",
            "reihe",
            "rangée",
            "rangee",
            "fila",
            "fileira",
            "rij",
            "ry",
        ],
    ),
    (
        &[Column::Seat],
        &[
            "seat",
            "seat_number",
            "seat_no",
            "seat_nr",
            "seat_name",
            "seat_id",
            "place",
            "place_number",
            "place_no",
            "number",
            "no",
            "nr",
            "platz",
            "platznummer",
            "platz_nr",
            "sitz",
            "sitzplatz",
            "sitznummer",
            "siège",
            "siege",
            "asiento",
            "assento",
            "posto",
            "stoel",
            "stoelnummer",
        ],
    ),
    (
        &[Column::Category],
        &[
            "category",
            "price_category",
            "price_zone",
            "price_level",
            "price_group",
            "price_band",
            "price_class",
            "pricing_category",
            "seat_category",
            "category_name",
            "kategorie",
            "preiskategorie",
            "preisgruppe",
            "catégorie",
            "categorie",
            "categoría",
            "categoria",
            "prijscategorie",
            "prijsklasse",
        ],
    ),
    (&[Column::X], &["pos_x", "x_pos", "position_x", "x_position", "x_coordinate", "coord_x"]),
    (&[Column::Y], &["pos_y", "y_pos", "position_y", "y_position", "y_coordinate", "coord_y"]),
    (&[Column::Capacity], &["kapazität", "capacité", "capacidad", "capacidade", "capaciteit", "max_capacity"]),
];

/// Which columns a line names, if it is a header.
#[derive(Default)]
pub(super) struct Names {
    pub known: BTreeMap<Column, usize>,
    twice: Vec<Column>,
    /// Cells that are read as a column of another name.
    assumed: Vec<(usize, Column)>,
}

impl Names {
    /// Whether a file can be read by these.
    pub fn is_header(&self) -> bool {
        let has = |column: &Column| self.known.contains_key(column);
        let seated = [Column::Row, Column::Seat, Column::Category].iter().all(has);
        has(&Column::Area) && (seated || has(&Column::Capacity))
    }
}

/// The columns that a line names: by our names, else by other ones, of which those with one meaning come first.
pub(super) fn names(line: &Line<'_>) -> Names {
    let mut names = Names::default();
    let mut others: Vec<(usize, &'static [Column])> = Vec::new();
    for (at, cell) in line.record.iter().enumerate().filter(|(_, cell)| !is_blank(cell)) {
        if let Some(column) = Column::named(cell) {
            if names.known.insert(column, at).is_some() {
                names.twice.push(column);
            }
        } else if marks::flag(cell).is_none() {
            others.push((at, Column::called(cell)));
        }
    }
    others.sort_by_key(|(_, columns)| columns.len());
    for (at, columns) in others {
        if let Some(column) = columns.iter().find(|column| !names.known.contains_key(column)) {
            names.known.insert(*column, at);
            names.assumed.push((at, *column));
        }
    }
    names.assumed.sort_unstable();
    names
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
        let Names { known, twice, assumed } = names(line);
        let (header, width) = (line.number, line.record.len());
        let mut columns = Self { known, marks: Vec::new(), unnamed: BTreeMap::new(), header, width };
        let mut unread: Vec<String> = Vec::new();
        let shown = |cell: &str| cell.chars().take(60).collect::<String>();
        for column in &twice {
            findings.wrong(line.at(column.name()), "this column is there twice");
        }
        for (at, cell) in line.record.iter().enumerate() {
            if let Some((_, column)) = assumed.iter().find(|(assumed, _)| *assumed == at) {
                let detail = format!("this column is read as `{}`", column.name());
                findings.add(line.at(&shown(cell)), FindingKind::Assumed, detail);
            } else if is_blank(cell) {
                columns.unnamed.insert(at, false);
            } else if Column::named(cell).is_none() {
                match marks::flag(cell) {
                    Some(flag) => columns.marks.push((at, marks::normalised(cell), flag)),
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

/// The byte between columns: what the file names, else what gives the most known names in one of the lines among which the header is looked for.
pub(super) fn delimiter(named: Option<u8>, content: &str) -> u8 {
    let lines = content.split(['\r', '\n']).filter(|line| !is_blank(line)).take(HEADER_LINES_MAX);
    let known = |delimiter: u8| {
        let count = |line: &str| {
            let cells = line.split(char::from(delimiter)).map(|cell| cell.trim().trim_matches('"'));
            cells.filter(|cell| Column::named(cell).is_some() || !Column::called(cell).is_empty()).count()
        };
        lines.clone().map(count).max().unwrap_or(0)
    };
    if let Some(named) = named.filter(|named| known(*named) > 0) {
        return named;
    }
    // Of equals the first.
    let best = [b',', b';', b'\t', b'|'].into_iter().rev().max_by_key(|delimiter| known(*delimiter));
    best.unwrap_or(b',')
}
