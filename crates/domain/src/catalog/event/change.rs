//! Applies an organizer's change to an event and shifts the times that are not given with the start.
//!
//! Never: a changed event that the checks of a draft would refuse. To add a field: here, in [`EventChange::apply`], and its row in `tests`.

use super::draft::{EVENT_NAME_CHARS_MAX, check_sale};
use super::{Event, SaleWindow};
use crate::catalog::admission_window::AdmissionTimes;
use crate::refusal::Refusal;
use crate::text::single_line;
use crate::time::Timestamp;
use crate::time_zone::canonical_zone_name;

/// The fields to change; `None` keeps a field, and `Some(None)` resets a time to its default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventChange {
    /// Display name.
    pub name: Option<String>,
    /// Start; doors, end and admission times that are not given shift with it.
    pub starts_at: Option<Timestamp>,
    /// IANA zone.
    pub timezone: Option<String>,
    /// Sale window.
    pub sale: Option<SaleWindow>,
    /// Opening of the doors.
    pub doors_at: Option<Option<Timestamp>>,
    /// End of the event.
    pub ends_at: Option<Option<Timestamp>>,
    /// Start of admission.
    pub admits_from: Option<Option<Timestamp>>,
    /// End of admission.
    pub admits_until: Option<Option<Timestamp>>,
}

impl EventChange {
    /// The event with the changes.
    ///
    /// # Errors
    /// `invalid_request` with the field.
    pub fn apply(&self, event: &Event) -> Result<Event, Refusal> {
        let mut changed = event.clone();
        if let Some(name) = &self.name {
            changed.name = single_line("name", name, EVENT_NAME_CHARS_MAX)?;
        }
        if let Some(timezone) = &self.timezone {
            changed.timezone = canonical_zone_name(timezone)?;
        }
        if let Some(sale) = self.sale {
            check_sale(sale)?;
            changed.sale = sale;
        }
        changed.starts_at = self.starts_at.unwrap_or(event.starts_at);
        let moved = event.admission.moved(start_shift_micros(event, &changed));
        changed.admission = AdmissionTimes {
            doors_at: self.doors_at.unwrap_or(moved.doors_at),
            ends_at: self.ends_at.unwrap_or(moved.ends_at),
            admits_from: self.admits_from.unwrap_or(moved.admits_from),
            admits_until: self.admits_until.unwrap_or(moved.admits_until),
        };
        changed.admission.check_event(changed.starts_at)?;
        Ok(changed)
    }
}

/// The shift of the start in microseconds, by which the times of its ticket types shift too.
#[must_use]
pub fn start_shift_micros(before: &Event, after: &Event) -> i64 {
    after.starts_at.micros().saturating_sub(before.starts_at.micros())
}
