//! Formats amounts, percentages, counts and moments for people; each kind has one function, so that all pages agree.
//!
//! Never: a time outside of the event's zone, unless the text says UTC.

use std::time::Duration;

use jiff::Zoned;
use jiff::tz::TimeZone;
use voelgoed_domain::money::{Currency, Money};
use voelgoed_domain::time::Timestamp;
use voelgoed_domain::time_zone::time_zone;

/// Keeps a number and its unit on one line.
const NO_BREAK: char = '\u{a0}';

/// The text before an amount: a well-known sign, else the code.
pub fn sign(currency: Currency) -> String {
    match currency {
        Currency::ZAR => "R".to_owned(),
        Currency::EUR => "€".to_owned(),
        Currency::GBP => "£".to_owned(),
        Currency::USD => "$".to_owned(),
        other => other.code().to_owned(),
    }
}

/// The number of decimals of a currency.
pub fn decimals(currency: Currency) -> u32 {
    u32::from(currency.exponent().unwrap_or(0))
}

/// `R 1 250.00`. Scripts write the same (`money.js`).
pub fn money(money: Money) -> String {
    let places = decimals(money.currency);
    let unit = 10_u64.pow(places);
    let amount = money.amount.unsigned_abs();
    let digits = (amount / unit).to_string();
    let mut whole = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            whole.push(NO_BREAK);
        }
        whole.push(digit);
    }
    let minus = if money.amount < 0 { "−" } else { "" };
    let sign = sign(money.currency);
    let width = places as usize;
    if places == 0 {
        return format!("{minus}{sign}{NO_BREAK}{whole}");
    }
    format!("{minus}{sign}{NO_BREAK}{whole}.{:0width$}", amount % unit)
}

/// `15 %`; the argument is in hundredths of a percent.
pub fn percent(basis_points: u32) -> String {
    let (whole, part) = (basis_points / 100, basis_points % 100);
    match part {
        0 => format!("{whole}{NO_BREAK}%"),
        part if part % 10 == 0 => format!("{whole}.{}{NO_BREAK}%", part / 10),
        part => format!("{whole}.{part:02}{NO_BREAK}%"),
    }
}

/// A moment in an event's zone.
#[derive(Debug, Clone)]
pub struct Moment {
    zoned: Zoned,
    /// The name of a zone that this program does not know; each format then says that the time is in UTC.
    unknown: Option<String>,
}

impl Moment {
    /// `at` in the zone with this IANA name. An unknown name (a newer program stored it) is logged, and the texts say UTC.
    pub fn new(at: Timestamp, timezone: &str) -> Self {
        let known = time_zone(timezone);
        if known.is_none() {
            tracing::warn!(
                timezone,
                slice = "catalog",
                "a time zone is unknown to this program; its times are shown in UTC"
            );
        }
        let moment = jiff::Timestamp::from_microsecond(at.micros()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let unknown = known.is_none().then(|| timezone.to_owned());
        Self { zoned: moment.to_zoned(known.unwrap_or(TimeZone::UTC)), unknown }
    }

    fn format(&self, pattern: &str) -> String {
        let text = self.zoned.strftime(pattern);
        if self.unknown.is_some() { format!("{text} UTC") } else { text.to_string() }
    }

    /// For `<time datetime>`.
    pub fn machine(&self) -> String {
        self.zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    /// `Saturday 14 November 2026`
    pub fn date(&self) -> String {
        self.zoned.strftime("%A %-d %B %Y").to_string()
    }

    /// `Sat 14 Nov, 19:30`
    pub fn short(&self) -> String {
        self.format("%a %-d %b, %H:%M")
    }

    /// `19:30`
    pub fn clock(&self) -> String {
        self.format("%H:%M")
    }

    /// `SAST`, or the offset where a zone has no letters.
    pub fn zone(&self) -> String {
        match &self.unknown {
            Some(name) => format!("(not the local time of {name})"),
            None => self.zoned.strftime("%Z").to_string(),
        }
    }

    /// `14`
    pub fn day(&self) -> String {
        self.zoned.strftime("%-d").to_string()
    }

    /// `Nov`
    pub fn month(&self) -> String {
        self.zoned.strftime("%b").to_string()
    }

    /// `Sat`
    pub fn weekday(&self) -> String {
        self.zoned.strftime("%a").to_string()
    }
}

/// `9:58`; minutes may exceed 59.
pub fn countdown(left: Duration) -> String {
    let seconds = left.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// `1 place`, `2 places`.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count}{NO_BREAK}{}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_a_sign_grouped_digits_and_the_decimals_of_its_currency() {
        for (amount, currency, expected) in [
            (0, Currency::ZAR, "R 0.00"),
            (45_000, Currency::ZAR, "R 450.00"),
            (12_500_005, Currency::EUR, "€ 125 000.05"),
            (-250, Currency::GBP, "−£ 2.50"),
            (1_500, Currency::JPY, "JPY 1 500"),
        ] {
            assert_eq!(money(Money::new(amount, currency)).replace(NO_BREAK, " "), expected);
        }
    }

    #[test]
    fn moment_is_formatted_in_the_zone_of_the_event() {
        let at: Timestamp = "2026-11-14T17:30:00Z".parse().unwrap();
        let moment = Moment::new(at, "Africa/Johannesburg");
        assert_eq!(
            (moment.date().as_str(), moment.clock().as_str(), moment.zone().as_str()),
            ("Saturday 14 November 2026", "19:30", "SAST")
        );
        assert_eq!(moment.machine(), "2026-11-14T19:30:00+02:00");
    }

    #[test]
    fn times_of_an_unknown_zone_say_that_they_are_utc() {
        let at: Timestamp = "2026-11-14T17:30:00Z".parse().unwrap();
        let moment = Moment::new(at, "Nowhere/Never");
        assert_eq!(
            (moment.clock().as_str(), moment.short().as_str(), moment.zone().as_str()),
            ("17:30 UTC", "Sat 14 Nov, 17:30 UTC", "(not the local time of Nowhere/Never)")
        );
    }

    #[test]
    fn percentage_omits_only_zero_decimals() {
        for (points, expected) in [(1500, "15 %"), (1550, "15.5 %"), (725, "7.25 %"), (5, "0.05 %")] {
            assert_eq!(percent(points).replace(NO_BREAK, " "), expected);
        }
    }
}
