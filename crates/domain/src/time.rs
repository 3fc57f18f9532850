//! Represents moments as microseconds since 1970 (the precision of the stores), written as RFC 3339.
//!
//! Never: a clock. Every rule takes `now: Timestamp`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment in UTC, in microseconds since 1970; RFC 3339 in text and JSON, which covers the years 1 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The first moment with an RFC 3339 text: 0001-01-01T00:00:00Z.
    pub const MIN: Self = Self(-62_135_596_800_000_000);
    /// The last moment with an RFC 3339 text: 9999-12-30T22:00:00Z, which is before the year 10000 in every zone.
    pub const MAX: Self = Self(253_402_207_200_000_000);

    /// From microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since 1970, rounded down.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This moment plus `span`, at most [`Self::MAX`].
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX))).min(Self::MAX.max(self))
    }

    /// This moment minus `span`, at least [`Self::MIN`].
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX))).max(Self::MIN.min(self))
    }

    /// The span from `earlier` to this moment; zero where `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// A text that is not an RFC 3339 moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an RFC 3339 time such as 2026-11-22T18:00:00Z, from 0001-01-01 to 9999-12-30 in UTC")]
pub struct MalformedTime;

impl FromStr for Timestamp {
    type Err = MalformedTime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The parser also accepts signed and longer years, which RFC 3339 does not have.
        if !text.get(..5).is_some_and(|year| year.ends_with('-') && year.bytes().take(4).all(|it| it.is_ascii_digit()))
        {
            return Err(MalformedTime);
        }
        let parsed: jiff::Timestamp = text.parse().map_err(|_| MalformedTime)?;
        let moment = Self(parsed.as_microsecond());
        if (Self::MIN..=Self::MAX).contains(&moment) { Ok(moment) } else { Err(MalformedTime) }
    }
}

impl fmt::Display for Timestamp {
    /// A moment outside of RFC 3339 is written as the nearest moment inside.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nearest = (*self).clamp(Self::MIN, Self::MAX);
        match jiff::Timestamp::from_microsecond(nearest.0) {
            Ok(moment) => fmt::Display::fmt(&moment, f),
            Err(_) => Err(fmt::Error),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::deserialize_text::deserialize_text(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_outside_of_rfc_3339_are_refused_when_parsed_and_clamped_when_written() {
        for text in
            ["0001-01-01T00:00:00Z", "2026-11-22T18:00:00+02:00", "9999-12-30T22:00:00Z", "1970-01-01T00:00:00Z"]
        {
            let moment: Timestamp = text.parse().unwrap();
            assert_eq!(moment.to_string().parse(), Ok(moment), "{text}");
        }
        for text in [
            "0000-12-31T23:59:59Z",
            "0001-01-01T00:00:00+14:00",
            "9999-12-30T22:00:01Z",
            "9999-12-31T23:59:59Z",
            "9999-12-31T23:59:59-14:00",
            "10000-01-01T00:00:00Z",
            "+10000-01-01T00:00:00Z",
            "-000001-01-01T00:00:00Z",
            "99999-01-01T00:00:00Z",
            "+002026-11-22T18:00:00Z",
            "20261122T180000Z",
            "2026-11-22T18:00:00",
            "2026-11-22",
            "",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(MalformedTime), "{text}");
        }
        let forever = Duration::from_secs(u64::MAX);
        for (moment, text) in [
            (Timestamp::default().plus(forever), "9999-12-30T22:00:00Z"),
            (Timestamp::default().minus(forever), "0001-01-01T00:00:00Z"),
            (Timestamp::MAX.plus(Duration::from_micros(1)), "9999-12-30T22:00:00Z"),
            (Timestamp::MIN.minus(Duration::from_micros(1)), "0001-01-01T00:00:00Z"),
            (Timestamp::from_micros(i64::MAX), "9999-12-30T22:00:00Z"),
            (Timestamp::from_micros(i64::MIN), "0001-01-01T00:00:00Z"),
        ] {
            assert_eq!(moment.to_string(), text);
        }
    }

    #[test]
    fn moment_is_parsed_counted_and_written_in_every_zone_and_precision() {
        for (text, micros, millis, written) in [
            ("1970-01-01T00:00:00Z", 0, 0, "1970-01-01T00:00:00Z"),
            ("1970-01-01T00:00:01.5Z", 1_500_000, 1_500, "1970-01-01T00:00:01.5Z"),
            ("1970-01-01T00:00:00.001999Z", 1_999, 1, "1970-01-01T00:00:00.001999Z"),
            ("1969-12-31T23:59:59.9999Z", -100, -1, "1969-12-31T23:59:59.9999Z"),
            ("2026-11-22T18:00:00+02:00", 1_795_363_200_000_000, 1_795_363_200_000, "2026-11-22T16:00:00Z"),
        ] {
            let moment: Timestamp = text.parse().unwrap();
            assert_eq!((moment.micros(), moment.millis()), (micros, millis), "{text}");
            assert_eq!(Timestamp::from_micros(micros), moment);
            assert_eq!(format!("{moment} {moment:?}"), format!("{written} {written}"));
            let json = format!("\"{written}\"");
            assert_eq!(serde_json::to_string(&moment).unwrap(), json);
            assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), moment);
        }
    }

    #[test]
    fn spans_are_added_subtracted_and_measured() {
        let start: Timestamp = "2026-11-22T18:00:00Z".parse().unwrap();
        for (span, later, earlier) in [
            (Duration::ZERO, "2026-11-22T18:00:00Z", "2026-11-22T18:00:00Z"),
            (Duration::from_micros(1), "2026-11-22T18:00:00.000001Z", "2026-11-22T17:59:59.999999Z"),
            (Duration::from_secs(600), "2026-11-22T18:10:00Z", "2026-11-22T17:50:00Z"),
            (Duration::from_secs(7 * 86_400), "2026-11-29T18:00:00Z", "2026-11-15T18:00:00Z"),
        ] {
            let (later, earlier): (Timestamp, Timestamp) = (later.parse().unwrap(), earlier.parse().unwrap());
            assert_eq!((start.plus(span), start.minus(span)), (later, earlier), "{span:?}");
            assert_eq!((later.since(start), start.since(earlier)), (span, span));
            assert_eq!((start.since(later), earlier.since(start)), (Duration::ZERO, Duration::ZERO));
        }
    }
}
