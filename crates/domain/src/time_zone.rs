//! Looks up IANA time zones in a database that is compiled in, and refuses names that another machine could not show.

use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::refusal::Refusal;

/// Names in the zone database that depend on the machine and name no region.
const MACHINE_ZONES: &[&str] = &["Factory", "localtime", "posixrules"];

/// The zone of an IANA name in any case; `None` for unknown names and for `Etc/Unknown`. Names are checked and times are shown by this one lookup, and its
/// database is compiled in, so that every machine can show a zone that was accepted once.
#[must_use]
pub fn time_zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok().filter(|zone| !zone.is_unknown())
}

/// The current IANA name of a typed zone name, in the spelling of the database: `asia/calcutta` becomes `Asia/Kolkata`.
///
/// # Errors
/// `invalid_request` for `timezone`.
pub fn canonical_zone_name(text: &str) -> Result<String, Refusal> {
    let unknown = || Refusal::invalid("timezone", "Must be an IANA time zone such as `Africa/Johannesburg`.");
    let zone = time_zone(text.trim()).ok_or_else(unknown)?;
    let name = zone.primary_iana_name().or_else(|| zone.iana_name()).ok_or_else(unknown)?;
    let is_machine_zone = |name: &str| MACHINE_ZONES.iter().any(|other| other.eq_ignore_ascii_case(name));
    if is_machine_zone(name) || is_machine_zone(text.trim()) { Err(unknown()) } else { Ok(name.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_dependent_and_unknown_zone_names_are_refused() {
        for name in ["Factory", "factory", " FACTORY ", "localtime", "Posixrules", "Etc/Unknown", "Mars/Olympus", ""] {
            assert!(canonical_zone_name(name).is_err(), "{name}");
        }
        for (name, expected) in [("europe/berlin", "Europe/Berlin"), (" Africa/Johannesburg ", "Africa/Johannesburg")] {
            assert_eq!(canonical_zone_name(name).as_deref(), Ok(expected));
        }
        for name in ["UTC", "Etc/GMT+3"] {
            assert!(canonical_zone_name(name).is_ok(), "{name}");
        }
    }
}
