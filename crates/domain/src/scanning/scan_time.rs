//! Decides when a scan happened: by the device's clock where that is possible, else by the server's receipt.
//!
//! Never: refuses a ticket, or orders a scan before another, by a clock that cannot be right (P6).
//! To add a bound: a field of [`ScanReceipt`] and its rows in `tests`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::text_enum::text_enum;
use crate::time::Timestamp;

/// How far a device's clock may differ from the server's and still be plausible.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(120);

text_enum! {
    /// Whether a device's clock may be right.
    "device clock" DeviceClock {
        /// Within all bounds.
        Plausible = "plausible",
        /// Before the ticket was issued or the device was paired, or in the future.
        Implausible = "implausible",
    }
}

/// When a scan happened, with the bounds that are certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanTime {
    /// The moment that is recorded and shown.
    pub at: Timestamp,
    /// The scan was not before this.
    pub earliest: Timestamp,
    /// The scan was not after this: the server's receipt.
    pub latest: Timestamp,
    /// Whether the device's clock was plausible.
    pub clock: DeviceClock,
}

/// The times that the server knows, which bound the device's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanReceipt {
    /// When the server received the scan.
    pub received_at: Timestamp,
    /// When the device was paired.
    pub paired_at: Option<Timestamp>,
    /// When the ticket was issued.
    pub issued_at: Option<Timestamp>,
}

impl ScanTime {
    /// The time of a scan that a device dates `scanned_at`, none where its clock cannot be read. A scan that the server decides happens on its
    /// receipt; a forced scan happened before, at the device's time where that is plausible.
    #[must_use]
    pub fn of(forced: bool, scanned_at: impl Into<Option<Timestamp>>, receipt: ScanReceipt) -> Self {
        let latest = receipt.received_at;
        let floor = receipt.paired_at.max(receipt.issued_at);
        let too_early = |at: Timestamp| floor.is_some_and(|floor| at.plus(CLOCK_TOLERANCE) < floor);
        let too_late = |at: Timestamp| at > latest.plus(CLOCK_TOLERANCE);
        let plausible = scanned_at.into().filter(|at| !too_early(*at) && !too_late(*at));
        let clock = if plausible.is_some() { DeviceClock::Plausible } else { DeviceClock::Implausible };
        let (at, earliest) = match (forced, plausible) {
            (false, _) => (latest, latest),
            (true, Some(scanned_at)) => (scanned_at.min(latest), scanned_at.min(latest)),
            (true, None) => (latest, floor.unwrap_or(latest).min(latest)),
        };
        Self { at, earliest, latest, clock }
    }

    /// The time of a scan of which only the server's receipt is known.
    #[must_use]
    pub const fn received(at: Timestamp) -> Self {
        Self { at, earliest: at, latest: at, clock: DeviceClock::Plausible }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    /// The device was paired at 1000, the ticket issued at 2000, the server got the scan at 9000.
    fn time(forced: bool, scanned_at: Timestamp) -> (i64, i64, &'static str) {
        let receipt = ScanReceipt { received_at: at(9000), paired_at: Some(at(1000)), issued_at: Some(at(2000)) };
        let time = ScanTime::of(forced, scanned_at, receipt);
        assert_eq!(time.latest, at(9000));
        (time.at.micros() / 1_000_000, time.earliest.micros() / 1_000_000, time.clock.as_str())
    }

    #[test]
    fn forced_scan_is_dated_by_its_device_unless_that_is_impossible() {
        for (scanned_at, expected) in [
            (at(5000), (5000, 5000, "plausible")),
            (at(2000), (2000, 2000, "plausible")),
            (at(1880), (1880, 1880, "plausible")),
            (at(1879), (9000, 2000, "implausible")),
            (at(0), (9000, 2000, "implausible")),
            (at(-9_000_000), (9000, 2000, "implausible")),
            (at(9000), (9000, 9000, "plausible")),
            (at(9120), (9000, 9000, "plausible")),
            (at(9121), (9000, 2000, "implausible")),
            (Timestamp::from_micros(i64::MAX), (9000, 2000, "implausible")),
            (Timestamp::from_micros(i64::MIN), (9000, 2000, "implausible")),
        ] {
            assert_eq!(time(true, scanned_at), expected, "{scanned_at}");
        }
    }

    #[test]
    fn scan_that_the_server_decides_happens_on_its_receipt() {
        for (scanned_at, clock) in [(at(5000), "plausible"), (at(0), "implausible"), (at(99_999), "implausible")] {
            assert_eq!(time(false, scanned_at), (9000, 9000, clock), "{scanned_at}");
        }
    }

    #[test]
    fn clock_that_cannot_be_read_is_impossible() {
        let receipt = ScanReceipt { received_at: at(9000), paired_at: Some(at(1000)), issued_at: Some(at(2000)) };
        for (forced, earliest) in [(true, at(2000)), (false, at(9000))] {
            let time = ScanTime::of(forced, None, receipt);
            assert_eq!((time.at, time.earliest, time.clock), (at(9000), earliest, DeviceClock::Implausible));
        }
    }

    #[test]
    fn without_a_floor_only_the_future_is_impossible() {
        let receipt = ScanReceipt { received_at: at(9000), paired_at: None, issued_at: None };
        assert_eq!(ScanTime::of(true, at(0), receipt).clock, DeviceClock::Plausible);
        let ahead = ScanTime::of(true, at(99_999), receipt);
        assert_eq!((ahead.at, ahead.earliest, ahead.clock), (at(9000), at(9000), DeviceClock::Implausible));
    }
}
