//! The words for marks of seats in the languages of plans. To add one: a line of its flag, written as `normalised` writes it.

use crate::catalog::layout::SeatFlag;

/// Words for each flag that stand by themselves in a cell, a field or a name.
pub(super) const WORDS: &[(SeatFlag, &[&str])] = &[
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

/// What may follow a word without another meaning: `rollstuhlplätze`, `wheelchair_spaces`. The longer ones first.
pub(super) const HANGERS_ON: &[&str] = &[
    "plaatsen", "seating", "plätze", "plaetze", "places", "spaces", "plaats", "seats", "users", "place", "space",
    "platz", "plass", "plats", "seat", "bays", "bay", "s",
];

/// Parts of words by which a longer name says that seats are for wheelchairs or companions. The first flag found counts: a companion's seat is often
/// named by the wheelchair that it stands beside.
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

/// Whole words that say it too.
pub(super) const WHOLE: &[&str] = &["pmr"];

/// Whole words that say too little by themselves in a longer name (`accessible by stairs`), but whose denial is worth a word.
pub(super) const WEAK: &[&str] = &[
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

/// Several words, or a sign, for what one word says above.
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

/// Words that deny what stands after them, or before them.
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

/// Beginnings of a word that deny the rest of it.
pub(super) const DENYING_PREFIXES: &[&str] = &["non", "in", "un", "not", "nicht"];
