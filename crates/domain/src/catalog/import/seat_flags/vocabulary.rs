//! Lists the words for seat flags and for denials in the languages of imported plans.
//!
//! To add a word: a line of its flag, as `normalized` writes it.

use crate::catalog::layout::SeatFlag;

/// Words for each flag that are the whole text of a cell, a field or a name.
pub(super) const FLAG_WORDS: &[(SeatFlag, &[&str])] = &[
    (
        SeatFlag::Accessible,
        &[
            "accessible",
            "is_accessible",
            "wheelchair",
            "is_wheelchair",
            "wheelchair_accessible",
            "wheelchair_access",
            "wheelchair_user",
            "accessibility",
            "accessible_seating",
            "w/c",
            "mobility",
            "mobility_impaired",
            "mobility_access",
            "reduced_mobility",
            "limited_mobility",
            "restricted_mobility",
            "handicap",
            "handicapped",
            "handicapé",
            "disabled",
            "disabled_access",
            "ada",
            "♿",
            "pmr",
            "mobilité_réduite",
            "fauteuil_roulant",
            "fauteuils_roulants",
            "rollstuhl",
            "rollstuhlfahrer",
            "rollstuhlgerecht",
            "barrierefrei",
            "behindertengerecht",
            "behinderten",
            "silla_de_ruedas",
            "movilidad_reducida",
            "cadeira_de_rodas",
            "mobilidade_reduzida",
            "sedia_a_rotelle",
            "carrozzina",
            "rolstoel",
            "rolstoeltoegankelijk",
            "mindervaliden",
            "rullstol",
            "rullestol",
            "kørestol",
            "pyörätuoli",
            "車椅子",
        ],
    ),
    (
        SeatFlag::Companion,
        &[
            "companion",
            "is_companion",
            "carer",
            "essential_companion",
            "personal_assistant",
            "begleitperson",
            "begleitung",
            "begleiter",
            "accompagnateur",
            "accompagnant",
            "acompañante",
            "acompanhante",
            "accompagnatore",
            "begeleider",
            "begeleiding",
        ],
    ),
    (
        SeatFlag::RestrictedView,
        &[
            "restricted_view",
            "is_restricted_view",
            "restricted",
            "obstructed_view",
            "obstructed",
            "limited_view",
            "partial_view",
            "sichtbehindert",
            "sichtbehinderung",
            "sichteinschränkung",
            "eingeschränkte_sicht",
            "visibilité_réduite",
            "visibilidad_reducida",
            "beperkt_zicht",
        ],
    ),
];

/// Endings that do not change the meaning of a word: `rollstuhlplätze`, `wheelchair_spaces`. Longer endings first.
pub(super) const WORD_ENDINGS: &[&str] = &[
    "plaatsen", "seating", "plätze", "plaetze", "places", "spaces", "plaats", "seats", "users", "place", "space",
    "platz", "plass", "plats", "seat", "bays", "bay", "s",
];

/// Word stems that set a flag within a longer name. The first flag wins, since the seat of a companion is often named after the wheelchair beside it.
pub(super) const STEMS: &[(SeatFlag, &[&str])] = &[
    (SeatFlag::Companion, &["companion", "begleit", "carer", "accompagna", "acompaña", "acompanha", "begeleid"]),
    (
        SeatFlag::Accessible,
        &[
            "wheelchair",
            "rollstuhl",
            "rolstoel",
            "♿",
            "rullstol",
            "rullestol",
            "kørestol",
            "pyörätuoli",
            "carrozzin",
            "rotelle",
            "車椅子",
        ],
    ),
];

/// Whole words that set the flag accessible within a longer name.
pub(super) const WHOLE_WORDS: &[&str] = &["pmr"];

/// Whole words that are too ambiguous in a longer name to set a flag (`accessible by stairs`), but whose denial is reported.
pub(super) const WEAK_WORDS: &[&str] = &[
    "accessible",
    "mobility",
    "handicapped",
    "disabled",
    "barrierefrei",
    "barrierefreie",
    "barrierefreier",
    "behindertengerecht",
    "toegankelijk",
];

/// Phrases that are replaced by one word of the lists above.
pub(super) const PHRASES: &[(&str, &str)] = &[
    ("fauteuil roulant", "wheelchair"),
    ("fauteuils roulants", "wheelchair"),
    ("silla de ruedas", "wheelchair"),
    ("sillas de ruedas", "wheelchair"),
    ("cadeira de rodas", "wheelchair"),
    ("cadeiras de rodas", "wheelchair"),
    ("wheel chair", "wheelchair"),
    ("w/c", "wheelchair"),
];

/// Words that deny a word after or before them.
pub(super) const DENIALS: &[&str] = &[
    "no",
    "not",
    "non",
    "none",
    "never",
    "without",
    "false",
    "impossible",
    "unavailable",
    "unsuitable",
    "nicht",
    "kein",
    "keine",
    "keinen",
    "keiner",
    "keinerlei",
    "ohne",
    "nein",
    "nie",
    "falsch",
    "unmöglich",
    "sans",
    "pas",
    "aucun",
    "aucune",
    "sin",
    "ningún",
    "ninguna",
    "sem",
    "não",
    "nenhum",
    "senza",
    "nessun",
    "nessuna",
    "zonder",
    "geen",
    "niet",
    "nee",
    "ej",
    "inte",
    "ikke",
    "utan",
    "uden",
    "uten",
    "ei",
];

/// Prefixes that deny the rest of a word.
pub(super) const DENYING_PREFIXES: &[&str] = &["non", "in", "un", "not", "nicht"];
