//! Settings that lift every limit, for servers whose whole load comes from one address.

/// Limits so wide that no test meets them by accident.
pub const UNLIMITED: &[(&str, &str)] = &[
    ("VOELGOED__LIMITS__SESSION_BURST", "10000000"),
    ("VOELGOED__LIMITS__ADDRESS_BURST", "10000000"),
    ("VOELGOED__LIMITS__HOLD_BURST", "10000000"),
    ("VOELGOED__LIMITS__PLACES_PER_ADDRESS_MAX", "10000000"),
    ("VOELGOED__LIMITS__LOGIN_BURST", "10000000"),
    ("VOELGOED__LIMITS__GUESS_BURST", "10000000"),
    ("VOELGOED__LIMITS__READ_BURST", "10000000"),
    ("VOELGOED__SERVER__CONNECTIONS_PER_ADDRESS_MAX", "100000"),
    ("VOELGOED__LIMITS__BODIES_PER_ADDRESS_MAX", "100000"),
    ("VOELGOED__LIMITS__VIEWERS_PER_ADDRESS_MAX", "100000"),
    ("VOELGOED__LIMITS__VIEWERS_PER_ORGANIZATION_MAX", "100000"),
    ("VOELGOED__LIMITS__ORDER_STREAMS_PER_ADDRESS_MAX", "100000"),
    ("VOELGOED__LIMITS__ORDER_STREAMS_PER_ORGANIZATION_MAX", "100000"),
    ("VOELGOED__LIMITS__ORGANIZER_WRITE_BURST", "10000000"),
];

/// The settings of [`UNLIMITED`] and further ones.
#[must_use]
pub fn unlimited_with(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    UNLIMITED.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
