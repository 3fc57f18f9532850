//! A change of an event: another name, another date, other doors; what is not given keeps its distance from the start.
//!
//! Never: an event that a draft could not have been. To add a field: here, in [`EventChange::apply`], and its row in `tests`.

use super::draft::{EVENT_NAME_MAX, check_sale};
use super::{Event, SaleWindow};
use crate::catalog::admission::AdmissionTimes;
use crate::catalog::wording::worded;
use crate::refusal::Refusal;
use crate::time::{Timestamp, zone_name};

/// What is to change; nothing means that it stays. A time that is given as none takes its default again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventChange {
    /// Another name.
    pub name: Option<String>,
    /// Another start; doors, end and windows that are not given move with it.
    pub starts_at: Option<Timestamp>,
    /// Another zone.
    pub timezone: Option<String>,
    /// Another sale window.
    pub sale: Option<SaleWindow>,
    /// Other doors.
    pub doors_at: Option<Option<Timestamp>>,
    /// Another end.
    pub ends_at: Option<Option<Timestamp>>,
    /// Another first moment of admission.
    pub admits_from: Option<Option<Timestamp>>,
    /// Another end of admission.
    pub admits_until: Option<Option<Timestamp>>,
}

impl EventChange {
    /// The event as it will be.
    ///
    /// # Errors
    /// `invalid_request` naming the field.
    pub fn apply(&self, event: &Event) -> Result<Event, Refusal> {
        let mut changed = event.clone();
        if let Some(name) = &self.name {
            changed.name = worded("name", name, EVENT_NAME_MAX)?;
        }
        if let Some(timezone) = &self.timezone {
            changed.timezone = zone_name(timezone)?;
        }
        if let Some(sale) = self.sale {
            check_sale(sale)?;
            changed.sale = sale;
        }
        changed.starts_at = self.starts_at.unwrap_or(event.starts_at);
        let moved = event.admission.moved(moved_by(event, &changed));
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

/// How much later the event begins, in microseconds: the windows of its ticket types move by as much.
#[must_use]
pub fn moved_by(before: &Event, after: &Event) -> i64 {
    after.starts_at.micros().saturating_sub(before.starts_at.micros())
}
