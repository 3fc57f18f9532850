//! Lists the columns of an import table and their names in other programs and languages.
//!
//! To add a synonym: a line in [`SYNONYMS`].

use super::super::seat_flags;

/// A column of the import format.
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
    pub const ALL: &'static [Self] = &[
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

    /// The column with exactly this name.
    pub fn named(text: &str) -> Option<Self> {
        let name = seat_flags::normalized(text);
        Self::ALL.iter().copied().find(|column| column.name() == name)
    }

    /// The columns that this name can mean in other programs, the most likely one first.
    pub fn with_synonym(text: &str) -> &'static [Self] {
        let name = seat_flags::normalized(text);
        let name = name.trim_end_matches(['.', '#', ':', '_', 'º', '°']);
        let found = SYNONYMS.iter().find(|(_, names)| names.contains(&name));
        found.map_or(&[], |(columns, _)| *columns)
    }
}

/// Names of columns in other programs and languages, as [`seat_flags::normalized`] writes them.
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
