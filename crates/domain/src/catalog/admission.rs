//! Admission windows: from doors, end and explicit times of an event and of each ticket type to the moments between which a ticket admits.
//!
//! Never: a window that ends before it begins; a window that is signed into a code and so cannot move with its event.
//! To add a time: a field of [`AdmissionTimes`], its place in [`AdmissionTimes::event_window`], its rows in `tests`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::TicketTypeId;
use crate::refusal::Refusal;
use crate::scanning::clock::ScanTime;
use crate::scanning::entry::ScanReason;
use crate::time::Timestamp;

/// Tickets admit so long before the start where no doors are given.
pub const ADMITS_BEFORE_START: Duration = Duration::from_secs(24 * 3600);
/// Tickets admit so long after the end.
pub const ADMITS_AFTER_END: Duration = Duration::from_secs(24 * 3600);
/// An event lasts so long where no end is given.
pub const EVENT_DURATION: Duration = Duration::from_secs(6 * 3600);

/// The first and the last moment that RFC 3339 can write in every zone.
const FIRST: Timestamp = Timestamp::from_micros(-62_135_596_800_000_000);
const LAST: Timestamp = Timestamp::from_micros(253_402_128_000_000_000);

/// What an organizer says of doors, end and admission; nothing means the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AdmissionTimes {
    /// Doors open: tickets admit from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doors_at: Option<Timestamp>,
    /// The end: tickets admit until [`ADMITS_AFTER_END`] later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// Tickets admit from this moment, whatever the doors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admits_from: Option<Timestamp>,
    /// Tickets admit until this moment, exclusive, whatever the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admits_until: Option<Timestamp>,
}

/// When a ticket admits: from `from` until before `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdmissionWindow {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
}

impl AdmissionWindow {
    fn new(from: Timestamp, until: Timestamp) -> Self {
        Self { from: from.clamp(FIRST, LAST), until: until.clamp(FIRST, LAST) }
    }

    /// True once nobody can be admitted any more.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.until
    }

    /// What speaks against an admission at a moment that is known to lie between `time.earliest` and `time.latest`.
    #[must_use]
    pub fn objection(&self, time: &ScanTime) -> Option<ScanReason> {
        if time.latest < self.from {
            return Some(ScanReason::NotYet);
        }
        (time.earliest >= self.until).then_some(ScanReason::Expired)
    }
}

impl AdmissionTimes {
    /// True where nothing is given.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Every given time, so much later (or earlier, where negative).
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
        self.ends_at.unwrap_or_else(|| starts_at.plus(EVENT_DURATION))
    }

    /// From when an event with these times is past: from its end, or from the last admission where that comes earlier or no end is given.
    #[must_use]
    pub fn past_from(&self, starts_at: Timestamp) -> Timestamp {
        self.own_end().unwrap_or_else(|| self.end(starts_at))
    }

    /// The earlier one of the end and the last admission that are given.
    pub(super) fn own_end(&self) -> Option<Timestamp> {
        self.ends_at.into_iter().chain(self.admits_until).min()
    }

    /// When tickets of an event with these times admit.
    #[must_use]
    pub fn event_window(&self, starts_at: Timestamp) -> AdmissionWindow {
        let from = self.admits_from.or(self.doors_at).unwrap_or_else(|| starts_at.minus(ADMITS_BEFORE_START));
        let until = self.admits_until.unwrap_or_else(|| self.end(starts_at).plus(ADMITS_AFTER_END));
        AdmissionWindow::new(from, until)
    }

    /// When tickets of a type with these times admit, to an event that has the window `event`.
    #[must_use]
    pub fn type_window(&self, event: AdmissionWindow) -> AdmissionWindow {
        let from = self.admits_from.or(self.doors_at).unwrap_or(event.from);
        let until = self.admits_until.or_else(|| self.ends_at.map(|end| end.plus(ADMITS_AFTER_END)));
        AdmissionWindow::new(from, until.unwrap_or(event.until))
    }

    /// Whether an event that begins at `starts_at` can have these times.
    ///
    /// # Errors
    /// `invalid_request` naming the field that contradicts.
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
        self.check_given()?;
        self.check_window(self.event_window(starts_at))
    }

    /// Whether a ticket type can have these times, for an event that has the window `event`.
    ///
    /// # Errors
    /// `invalid_request` naming the field that contradicts.
    pub fn check_type(&self, event: AdmissionWindow) -> Result<(), Refusal> {
        if let (Some(doors), Some(end)) = (self.doors_at, self.ends_at)
            && end <= doors
        {
            return Err(Refusal::invalid("ends_at", "Must be later than `doors_at`."));
        }
        self.check_given()?;
        self.check_window(self.type_window(event))
    }

    fn check_given(&self) -> Result<(), Refusal> {
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

/// The present windows of an event and of those of its ticket types that have one of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admissions {
    /// Of every ticket type that is not below.
    pub event: AdmissionWindow,
    /// By ticket type, also of those that are off sale.
    pub types: Vec<(TicketTypeId, AdmissionWindow)>,
}

impl Admissions {
    /// The window of a ticket type; the event's where it has none of its own or is not known.
    #[must_use]
    pub fn window(&self, ticket_type: Option<TicketTypeId>) -> AdmissionWindow {
        let own = self.types.iter().find(|(id, _)| Some(*id) == ticket_type);
        own.map_or(self.event, |(_, window)| *window)
    }

    /// From the first moment at which any ticket admits until the last.
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
