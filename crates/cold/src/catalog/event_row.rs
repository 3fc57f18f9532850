//! Converts a row of the table `events` into the domain's event.

use uuid::Uuid;
use voelgoed_domain::catalog::admission_window::AdmissionTimes;
use voelgoed_domain::catalog::event::{Event, EventLimits, EventState, FeePolicy, SaleWindow, TaxPolicy};
use voelgoed_domain::ids::{EventId, LayoutId, OrganizationId};
use voelgoed_domain::money::Currency;
use voelgoed_domain::scanning::entry::EntryRule;
use voelgoed_domain::time::Timestamp;

use crate::db::{DbError, DbResult, row_struct};

/// The columns of the table `events`, under the alias `e`, in the order of the fields of [`EventRow`].
macro_rules! event_columns {
    () => {
        "e.organization_id, e.id, e.name, e.layout_id, e.starts_at, e.timezone, e.opens_at, e.closes_at, e.currency, e.state, \
         e.fee_per_ticket, e.fee_basis_points, e.tax_basis_points, e.tax_included, e.places_per_hold, e.places_per_session, e.entry_rule, \
         e.doors_at, e.ends_at, e.admits_from, e.admits_until"
    };
}
pub(super) use event_columns;

row_struct! {
    pub(super) struct EventRow {
        organization_id: Uuid,
        pub(super) id: Uuid,
        name: String,
        layout_id: Uuid,
        starts_at: i64,
        timezone: String,
        opens_at: i64,
        closes_at: i64,
        currency: String,
        state: String,
        fee_per_ticket: i64,
        fee_basis_points: i64,
        tax_basis_points: i64,
        tax_included: bool,
        places_per_hold: i64,
        places_per_session: i64,
        entry_rule: String,
        doors_at: Option<i64>,
        ends_at: Option<i64>,
        admits_from: Option<i64>,
        admits_until: Option<i64>,
    }
}

impl TryFrom<EventRow> for Event {
    type Error = DbError;

    fn try_from(row: EventRow) -> DbResult<Self> {
        Ok(Self {
            id: EventId::from_uuid(row.id),
            organization: OrganizationId::from_uuid(row.organization_id),
            name: row.name,
            layout: LayoutId::from_uuid(row.layout_id),
            starts_at: Timestamp::from_micros(row.starts_at),
            admission: times(row.doors_at, row.ends_at, row.admits_from, row.admits_until),
            timezone: row.timezone,
            sale: SaleWindow {
                opens_at: Timestamp::from_micros(row.opens_at),
                closes_at: Timestamp::from_micros(row.closes_at),
            },
            currency: currency(&row.currency)?,
            state: EventState::parse(&row.state)?,
            fees: FeePolicy { per_ticket: row.fee_per_ticket, basis_points: u32::try_from(row.fee_basis_points)? },
            tax: TaxPolicy { basis_points: u32::try_from(row.tax_basis_points)?, included: row.tax_included },
            limits: EventLimits {
                places_per_hold: u32::try_from(row.places_per_hold)?,
                places_per_session: u32::try_from(row.places_per_session)?,
            },
            entry_rule: EntryRule::parse(&row.entry_rule)?,
        })
    }
}

/// Converts stored admission times.
pub(super) fn times(
    doors_at: Option<i64>,
    ends_at: Option<i64>,
    admits_from: Option<i64>,
    admits_until: Option<i64>,
) -> AdmissionTimes {
    let moment = |micros: Option<i64>| micros.map(Timestamp::from_micros);
    AdmissionTimes {
        doors_at: moment(doors_at),
        ends_at: moment(ends_at),
        admits_from: moment(admits_from),
        admits_until: moment(admits_until),
    }
}

/// Parses a stored currency code.
pub(crate) fn currency(code: &str) -> DbResult<Currency> {
    Currency::from_code(code).ok_or_else(|| DbError::internal(format!("unknown currency `{code}`")))
}
