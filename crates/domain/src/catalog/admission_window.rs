//! Computes the window in which a ticket admits from the doors, the end and the explicit times of its event and its ticket type.
//!
//! Never: a window that ends before it begins; a window that is only in the signed ticket code, where it could not move with its event.
//! To add a time: a field of [`AdmissionTimes`], its place in [`AdmissionTimes::event_window`], its rows in `tests`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::TicketTypeId;
use crate::refusal::Refusal;
use crate::scanning::entry::ScanReason;
use crate::scanning::scan_time::ScanTime;
use crate::time::Timestamp;

/// Admission begins this long before the start where no doors are given.
pub const ADMISSION_BEFORE_START_DEFAULT: Duration = Duration::from_secs(24 * 3600);
/// Admission ends this long after the end of the event.
pub const ADMISSION_AFTER_END_DEFAULT: Duration = Duration::from_secs(24 * 3600);
/// Duration of an event without a given end.
pub const EVENT_DURATION_DEFAULT: Duration = Duration::from_secs(6 * 3600);

/// The first moment that RFC 3339 can write in every zone.
const WINDOW_START_MIN: Timestamp = Timestamp::from_micros(-62_135_596_800_000_000);
/// The last moment that RFC 3339 can write in every zone.
const WINDOW_END_MAX: Timestamp = Timestamp::from_micros(253_402_128_000_000_000);

/// The doors, end and admission times that an organizer gives; `None` means the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AdmissionTimes {
    /// Doors open, and admission begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doors_at: Option<Timestamp>,
    /// The end of the event; tickets admit until [`ADMISSION_AFTER_END_DEFAULT`] later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// Start of admission; overrides `doors_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admits_from: Option<Timestamp>,
    /// End of admission, exclusive; overrides `ends_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admits_until: Option<Timestamp>,
}

/// The time in which a ticket admits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdmissionWindow {
    /// Inclusive.
    pub from: Timestamp,
    /// Exclusive.
    pub until: Timestamp,
}

impl AdmissionWindow {
    fn new(from: Timestamp, until: Timestamp) -> Self {
        Self {
            from: from.clamp(WINDOW_START_MIN, WINDOW_END_MAX),
            until: until.clamp(WINDOW_START_MIN, WINDOW_END_MAX),
        }
    }

    /// True once the window has ended.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.until
    }

    /// The reason to refuse a scan at an uncertain moment between `time.earliest` and `time.latest`, where the whole span is outside of the window.
    #[must_use]
    pub fn refusal_reason(&self, time: &ScanTime) -> Option<ScanReason> {
        if time.latest < self.from {
            return Some(ScanReason::NotYet);
        }
        (time.earliest >= self.until).then_some(ScanReason::Expired)
    }
}

impl AdmissionTimes {
    /// True where no time is given.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Shifts every given time by `micros`, which may be negative.
    #[must_use]
    pub fn moved(self, micros: i64) -> Self {
        let moved = |at: Option<Timestamp>| at.map(|at| Timestamp::from_micros(at.micros().saturating_add(micros)));
        Self {
            doors_at: moved(self.doors_at),
            ends_at: moved(self.ends_at),
            admits_from: moved(self.admits_from),
            admits_until: moved(self.admits_until),
        }
    }

    /// The end of an event with these times.
    #[must_use]
    pub fn end(&self, starts_at: Timestamp) -> Timestamp {
        self.ends_at.unwrap_or_else(|| starts_at.plus(EVENT_DURATION_DEFAULT))
    }

    /// The moment from which an event with these times is past: its end, or the end of admission where that is earlier or no end is given.
    #[must_use]
    pub fn past_from(&self, starts_at: Timestamp) -> Timestamp {
        self.explicit_end().unwrap_or_else(|| self.end(starts_at))
    }

    /// The earlier of the given end and the given end of admission.
    pub(super) fn explicit_end(&self) -> Option<Timestamp> {
        self.ends_at.into_iter().chain(self.admits_until).min()
    }

    /// The window of an event with these times.
    #[must_use]
    pub fn event_window(&self, starts_at: Timestamp) -> AdmissionWindow {
        let from =
            self.admits_from.or(self.doors_at).unwrap_or_else(|| starts_at.minus(ADMISSION_BEFORE_START_DEFAULT));
        let until = self.admits_until.unwrap_or_else(|| self.end(starts_at).plus(ADMISSION_AFTER_END_DEFAULT));
        AdmissionWindow::new(from, until)
    }

    /// The window of a ticket type with these times, for an event with the window `event`.
    #[must_use]
    pub fn type_window(&self, event: AdmissionWindow) -> AdmissionWindow {
        let from = self.admits_from.or(self.doors_at).unwrap_or(event.from);
        let until = self.admits_until.or_else(|| self.ends_at.map(|end| end.plus(ADMISSION_AFTER_END_DEFAULT)));
        AdmissionWindow::new(from, until.unwrap_or(event.until))
    }

    /// Checks these times for an event that begins at `starts_at`.
    ///
    /// # Errors
    /// `invalid_request` with the contradicting field.
    pub fn check_event(&self, starts_at: Timestamp) -> Result<(), Refusal> {
        if self.ends_at.is_some_and(|end| end <= starts_at) {
            return Err(Refusal::invalid("ends_at", "Must be later than `starts_at`."));
        }
        if self.doors_at.is_some_and(|doors| doors > starts_at) {
            return Err(Refusal::invalid("doors_at", "Must not be later than `starts_at`."));
        }
        if self.admits_from.is_some_and(|from| from >= self.end(starts_at)) {
            return Err(Refusal::invalid("admits_from", "Must be earlier than the event's end."));
        }
        if self.admits_until.is_some_and(|until| until < starts_at) {
            return Err(Refusal::invalid("admits_until", "Must not be earlier than `starts_at`."));
        }
        self.check_order()?;
        self.check_window(self.event_window(starts_at))
    }

    /// Checks these times for a ticket type of an event with the window `event`.
    ///
    /// # Errors
    /// `invalid_request` with the contradicting field.
    pub fn check_type(&self, event: AdmissionWindow) -> Result<(), Refusal> {
        if let (Some(doors), Some(end)) = (self.doors_at, self.ends_at)
            && end <= doors
        {
            return Err(Refusal::invalid("ends_at", "Must be later than `doors_at`."));
        }
        self.check_order()?;
        self.check_window(self.type_window(event))
    }

    fn check_order(&self) -> Result<(), Refusal> {
        let contradicts =
            |first: Option<Timestamp>, then: Option<Timestamp>| first.zip(then).is_some_and(|(a, b)| a > b);
        if contradicts(self.admits_from, self.doors_at) {
            return Err(Refusal::invalid("admits_from", "Must not be later than `doors_at`."));
        }
        if contradicts(self.doors_at, self.admits_until) {
            return Err(Refusal::invalid("admits_until", "Must be later than `doors_at`."));
        }
        Ok(())
    }

    fn check_window(&self, window: AdmissionWindow) -> Result<(), Refusal> {
        if window.from < window.until {
            return Ok(());
        }
        let fields = [
            ("admits_until", self.admits_until),
            ("admits_from", self.admits_from),
            ("ends_at", self.ends_at),
            ("doors_at", self.doors_at),
        ];
        let given = fields.iter().find(|(_, at)| at.is_some()).map_or("starts_at", |(name, _)| name);
        let detail = format!("Tickets would admit from {} until {}: the end must be later.", window.from, window.until);
        Err(Refusal::invalid(given, detail))
    }
}

/// The current window of an event, and those of its ticket types with times of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdmissionWindows {
    /// The window of every ticket type that is not in `types`.
    pub event: AdmissionWindow,
    /// By ticket type, including those that are off sale.
    pub types: Vec<(TicketTypeId, AdmissionWindow)>,
}

impl AdmissionWindows {
    /// The window of a ticket type; the one of the event where the type has none or is unknown.
    #[must_use]
    pub fn window(&self, ticket_type: Option<TicketTypeId>) -> AdmissionWindow {
        let own = self.types.iter().find(|(id, _)| Some(*id) == ticket_type);
        own.map_or(self.event, |(_, window)| *window)
    }

    /// The smallest window that contains all windows.
    #[must_use]
    pub fn widest(&self) -> AdmissionWindow {
        self.types.iter().fold(self.event, |widest, (_, window)| AdmissionWindow {
            from: widest.from.min(window.from),
            until: widest.until.max(window.until),
        })
    }
}

#[cfg(test)]
mod tests;
